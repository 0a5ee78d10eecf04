import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { ArtifactInvalid, InputError } from '../../../src/contract/failures.js';
import { openStore } from '../../../src/io/open-store.js';
import { inputDigest, inputSize, withInput } from '../../../src/io/sample-input.js';
import { splitSample } from '../../../src/io/split-sample.js';
import { downloadResults, uploadInput } from '../../../src/io/transfer.js';
import { S3Server, describeWithS3 } from '../../support/s3-server.js';
import { temporaryFolder } from '../../support/tiny-models.js';

const FASTA = '>a\nACGTACGT\n';
const SHA256 = createHash('sha256').update(FASTA).digest('hex');

let dir: string;

/** What holds for a store of either kind. */
function transfers(rootOf: () => string): void {
  it('uploads an input once, under its digest and name', async () => {
    const file = path.join(dir, 'my contigs.fa');
    await writeFile(file, FASTA);
    const root = rootOf();
    const expected = `${root}/.virnucpro/inputs/${SHA256.slice(0, 16)}/my contigs.fa`;
    assert.deepEqual(await uploadInput(root, file), { input: expected, sha256: SHA256 });
    assert.deepEqual(await uploadInput(root, file), { input: expected, sha256: SHA256 });
    assert.equal(await inputDigest(expected), SHA256);
    assert.deepEqual(await inputSize(expected), { bytes: FASTA.length, packed: false });
    assert.equal(await withInput(expected, (local) => readFile(local, 'utf8')), FASTA);
    await assert.rejects(uploadInput(root, path.join(dir, 'none.fa')), InputError);
  });

  it('downloads the results alone, again only what differs, and nothing that is damaged', async () => {
    const store = openStore(`${rootOf()}/run`);
    const put = (key: string, text: string): Promise<unknown> =>
      store.put(key, async (file) => {
        await writeFile(file, text);
        return 1;
      });
    const results = ['campaign.tsv', 's/.virnucpro/finished.json', 's/s_merged/prediction_results.txt'];
    const others = [
      '.virnucpro/samples.jsonl',
      's/.virnucpro/work/frames/batch-00001.arrow',
      '.virnucpro/inputs/1/x.fa',
    ];
    for (const key of [...results, ...others]) await put(key, key);
    const folder = path.join(dir, 'downloaded');
    assert.deepEqual(await downloadResults(`${rootOf()}/run`, folder), results);
    for (const key of results) assert.equal(await readFile(path.join(folder, key), 'utf8'), key);
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    assert.equal(found.filter((entry) => entry.isFile()).length, results.length);

    await put('campaign.tsv', 'changed');
    await downloadResults(`${rootOf()}/run`, folder);
    assert.equal(await readFile(path.join(folder, 'campaign.tsv'), 'utf8'), 'changed');
  });
}

beforeEach(async () => {
  dir = await temporaryFolder();
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('io/transfer, with a folder', () => transfers(() => path.join(dir, 'store')));

describeWithS3('io/transfer, with an object store', () => {
  let server: S3Server;
  let serverDir: string;
  const own = { ...process.env };

  before(async () => {
    serverDir = await temporaryFolder();
    server = await S3Server.start(serverDir);
    Object.assign(process.env, server.env);
  });
  beforeEach(() => (process.env['VIRNUCPRO_SCRATCH'] = path.join(dir, 'scratch')));
  after(async () => {
    for (const name of [...Object.keys(server.env), 'VIRNUCPRO_SCRATCH']) {
      if (own[name] === undefined) delete process.env[name];
      else process.env[name] = own[name];
    }
    await server.kill();
    await rm(serverDir, { recursive: true, force: true });
  });

  transfers(() => 's3://runs/x');

  it('reads an input that others put there', async () => {
    const packed = gzipSync(FASTA);
    await mkdir(server.file('theirs'));
    await writeFile(server.file('theirs/a.fa.gz'), packed);
    await writeFile(server.file('theirs/empty.fa'), '');
    const uri = 's3://runs/theirs/a.fa.gz';
    assert.equal(await inputDigest(uri), createHash('sha256').update(packed).digest('hex'));
    assert.deepEqual(await inputSize(uri), { bytes: packed.length, packed: true });
    assert.deepEqual(await inputSize('s3://runs/theirs/empty.fa'), { bytes: 0, packed: false });
    assert.deepEqual(await withInput(uri, (local) => readFile(local)), packed);
  });

  it('names an input as people do when it is bad or not there', async () => {
    await mkdir(server.file('bad'));
    await writeFile(server.file('bad/b.fa'), '>a\nACGT\n>a\nACGT\n');
    const uri = 's3://runs/bad/b.fa';
    const split = withInput(uri, (input) =>
      splitSample({ input, chunkSize: 500, store: openStore(path.join(dir, 'out')), prefix: '' }),
    );
    await assert.rejects(split, (error) => {
      assert.ok(error instanceof InputError);
      assert.ok(error.where?.startsWith(uri), error.where);
      return true;
    });
    for (const none of ['s3://runs/bad/none.fa', 's3://nowhere/none.fa']) {
      await assert.rejects(
        withInput(none, async () => {}),
        (error) => {
          assert.ok(error instanceof InputError);
          assert.ok(error.where?.startsWith(none), error.where);
          return true;
        },
      );
    }
  });

  it('takes no damaged result for one', async () => {
    const store = openStore('s3://runs/damaged');
    await store.put('campaign.tsv', async (file) => {
      await writeFile(file, 'right');
      return 1;
    });
    await writeFile(server.file('damaged/campaign.tsv'), 'wrong');
    process.env['VIRNUCPRO_SCRATCH'] = path.join(dir, 'elsewhere');
    await assert.rejects(downloadResults('s3://runs/damaged', path.join(dir, 'to')), ArtifactInvalid);
    assert.deepEqual(await readdir(path.join(dir, 'to')).catch(() => []), []);
  });
});
