import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { checkpointDigest } from '../../../../src/model/checkpoint/digest.js';
import { openCheckpoint } from '../../../../src/model/checkpoint/open.js';
import { MODELS, flip, floats, pickle, put, refuses, scratch, stateDict, tensor, torchZip } from './support.js';

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

describe('checkpointDigest', () => {
  let folder: string;
  let remove: () => Promise<void>;
  before(async () => ({ folder, remove } = await scratch()));
  after(() => remove());

  it('is the SHA-256 of one file, and of the lines of digests of several', async () => {
    const one = `${MODELS}/dnabert2-tiny/pytorch_model.bin`;
    assert.equal(await checkpointDigest(await openCheckpoint(one)), sha256(await readFile(one)));
    const sharded = await openCheckpoint(`${MODELS}/esm2-tiny/pytorch_model.bin.index.json`);
    const lines = await Promise.all(sharded.files.map(async (file) => `${sha256(await readFile(file))}\n`));
    assert.equal(await checkpointDigest(sharded), sha256(lines.join('')));
  });

  it('finds a bit that was flipped after the checkpoint was opened', async () => {
    const bytes = torchZip(pickle(stateDict({ w: tensor() })), { '0': floats(1, 2, 3, 4) });
    const file = await put(folder, bytes, 'flipped.pt');
    const checkpoint = await openCheckpoint(file);
    await writeFile(file, flip(bytes, checkpoint.tensors.get('w')!.offset + 5, 3));
    await refuses(checkpointDigest(checkpoint), /record m\/data\/0 has checksum/);
  });

  it('remembers a file until its size, time or inode changes', async () => {
    const cache = path.join(folder, 'cache');
    const file = await put(folder, await readFile(`${MODELS}/classifier-tiny/tiny.safetensors`), 'c.safetensors');
    const checkpoint = await openCheckpoint(file);
    const first = await checkpointDigest(checkpoint, cache);
    const [entry] = await readdir(cache);
    assert.equal((await readdir(cache)).length, 1);
    const remembered = path.join(cache, entry!);
    const cached = JSON.parse(await readFile(remembered, 'utf8')) as Record<string, string>;
    assert.equal(cached['sha256'], first);
    const known = 'a'.repeat(64);
    await writeFile(remembered, JSON.stringify({ ...cached, sha256: known }));
    assert.equal(await checkpointDigest(checkpoint, cache), known);
    await utimes(file, 1000, 1000);
    assert.equal(await checkpointDigest(checkpoint, cache), first);
  });

  it('reads the file when its cache is damaged or cannot be written', async () => {
    const checkpoint = await openCheckpoint(`${MODELS}/classifier-tiny/tiny.safetensors`);
    const expected = await checkpointDigest(checkpoint);
    const cache = path.join(folder, 'damaged');
    await checkpointDigest(checkpoint, cache);
    await writeFile(path.join(cache, (await readdir(cache))[0]!), '{"sha256":');
    assert.equal(await checkpointDigest(checkpoint, cache), expected);
    const unwritable = await put(folder, 'a file where the folder should be', 'blocked');
    assert.equal(await checkpointDigest(checkpoint, unwritable), expected);
  });
});
