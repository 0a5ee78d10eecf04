import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resolveSamples } from '../../src/cli/samples.js';
import { InternalError } from '../../src/contract/failures.js';
import { LocalStore } from '../../src/io/local-store.js';
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
      'cli/benchmark/predict.ts',
      'inference/host-devices.ts',
      'inference/probe.ts',
      'server/dev-server.ts',
      'server/managed-child.ts',
      'server/temporal-cli.ts',
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
});
