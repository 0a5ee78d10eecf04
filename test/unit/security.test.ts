import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resolveSamples } from '../../src/cli/samples.js';
import { checkNames } from '../../src/activities/keys.js';
import { InputError, InternalError, OptionError } from '../../src/contract/failures.js';
import { LocalStore } from '../../src/io/local-store.js';
import { S3Store } from '../../src/io/s3-store.js';
import { splitToFasta } from '../../src/io/split-fasta.js';
import { openCheckpoint } from '../../src/model/checkpoint/open.js';
import { refuses } from './model/checkpoint/support.js';

describe('the source', () => {
  const forbidden: [what: string, pattern: RegExp][] = [
    ['a shell', /\bexec(Sync)?\s*[(}]|\bshell\s*:\s*(true|[\'"])|import \* as \w+ from 'node:child_process'/],
    ['code from text', /\beval\s*\(|\bnew Function\b|['"](node:)?vm['"]|\brunInNewContext\b/],
    ['code from anywhere', /\bimport\(\s*[^'")]|\brequire\s*\(\s*[^'")]/],
    ['a listener on all interfaces', /['"]0\.0\.0\.0['"]|['"]::['"]/],
  ];
  /** What they match that is none of it. */
  const innocent = [/\.exec\(/g, /^\s*(\*|\/\/|\/\*\*).*$/gm];

  it('calls no shell, makes no code from text, loads none by a computed name, and listens on loopback', async () => {
    const files = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'));
    assert.ok(files.length > 200);
    for (const file of files) {
      const code = innocent.reduce(
        (text, pattern) => text.replace(pattern, ''),
        await readFile(path.join('src', file), 'utf8'),
      );
      for (const [what, pattern] of forbidden) assert.doesNotMatch(code, pattern, `${file}: ${what}`);
    }
  });

  it('starts programs where a reader expects it, and nowhere else', async () => {
    const files = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'));
    const starters = [];
    for (const file of files) {
      if ((await readFile(path.join('src', file), 'utf8')).includes('child_process')) starters.push(file);
    }
    assert.deepEqual(starters.sort(), [
      'cli/benchmark/run-predict.ts',
      'inference/host-devices.ts',
      'inference/probe.ts',
      'server/dev-server.ts',
      'server/managed-child.ts',
      'server/temporal-cli.ts',
      'workers/cpu-affinity.ts',
      'workers/lane-handle.ts',
    ]);
  });
});

describe('names from inputs', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-names-'))));
  after(() => rm(dir, { recursive: true }));

  it('a sample is no way out of the output folder, nor into what is kept there', async () => {
    await writeFile(path.join(dir, 'a.fa'), '>a\nACGT\n');
    const sheet = path.join(dir, 'sheet.csv');
    for (const name of ['..', '../b', '/etc', 'a/b', 'a\\b', '.virnucpro', '.', 'a\u0001b', 'x'.repeat(300)]) {
      await writeFile(sheet, `sample,path\n"${name}",a.fa\n`);
      await assert.rejects(resolveSamples([], sheet), { name: 'OptionError', what: /^the sample name / }, name);
    }
  });

  it('a record is none: no file is named by an id', async () => {
    const input = path.join(dir, 'ids.fa');
    await writeFile(
      input,
      ['../../escaped', '/etc/escaped', '..', 'a\\..\\b', 'CON'].map((id) => `>${id}\nACGTACGT\n`).join(''),
    );
    const outputDir = path.join(dir, 'split');
    await splitToFasta({ input, stem: 'ids', outputDir, chunkSize: 500, threads: 0 });
    assert.deepEqual((await readdir(outputDir, { recursive: true })).sort(), [
      'ids_chunked500.fa',
      'ids_identified_nucleotide.fa',
      'ids_identified_protein.faa',
    ]);
  });

  it('a shard is none: an index names files beside itself', async () => {
    const index = path.join(dir, 'model.safetensors.index.json');
    for (const shard of ['../a.safetensors', '/etc/passwd', '..', 'x/../../a', 'a\\b', 'a\0b', '']) {
      await writeFile(index, JSON.stringify({ weight_map: { w: shard } }));
      await refuses(openCheckpoint(index), /outside its folder/);
    }
  });

  it('an artifact key is none', async () => {
    const store = new LocalStore(path.join(dir, 'store'));
    for (const key of ['../a', '/etc/a', 'x/../../a', '..', '.', '']) {
      await assert.rejects(
        store.put(key, async () => 0),
        InternalError,
        key,
      );
      await assert.rejects(store.peek(key), InternalError, key);
      // The empty key is the whole store.
      if (key !== '') await assert.rejects(store.list(key), InternalError, key);
      await assert.rejects(store.remove(key), InternalError, key);
    }
  });

  it('a reference out of a history is none: it names what lies in its own store', async () => {
    const root = path.join(dir, 'store');
    const store = new LocalStore(root);
    const secret = await new LocalStore(dir).put('secret', async (file) => writeFile(file, 'secret').then(() => 1));
    const own = await store.put('a b/own', async (file) => writeFile(file, 'own').then(() => 1));
    assert.equal(await store.get(own), path.join(root, 'a b', 'own'));
    const outside = `file://${path.join(dir, 'secret')}`;
    for (const uri of [
      outside,
      `file://${root}/../secret`,
      `file://${root}/x/%2e%2e/%2E%2e/secret`,
      `file://${root}/..%2fsecret`,
      `file://${root}`,
      `file://elsewhere${root}/a`,
      's3://bucket/secret',
      'http://127.0.0.1/secret',
      `${root}-beside/secret`,
      path.join(dir, 'secret'),
      '',
    ]) {
      await assert.rejects(store.get({ ...secret, uri }), InternalError, uri);
    }
    const objects = new S3Store('s3://bucket/run');
    for (const uri of ['s3://other/run/a', 's3://bucket/run-beside/a', 's3://bucket/secret', outside]) {
      await assert.rejects(
        objects.get({ ...secret, uri }),
        (error) => error instanceof InternalError || error instanceof OptionError,
        uri,
      );
    }
  });

  it('a sample of a workflow of your own is none', () => {
    const sample = { name: 's', input: 'a.fa', stem: 'a b.1', prefix: 'x/y/' };
    checkNames(sample);
    checkNames({ ...sample, prefix: '' });
    for (const stem of ['', '.', '..', '../a', 'a/b', 'a\\b', '/etc/a', 'a\0']) {
      assert.throws(() => checkNames({ ...sample, stem }), InputError, stem);
    }
    for (const prefix of ['/', '../', 'a/../../', '/etc/', 'a', 'a//', './', 'a\0/']) {
      assert.throws(() => checkNames({ ...sample, prefix }), InputError, prefix);
    }
  });
});
