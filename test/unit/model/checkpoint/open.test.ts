import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, readFile, realpath, symlink } from 'node:fs/promises';
import path from 'node:path';
import { openCheckpoint } from '../../../../src/model/checkpoint/open.js';
import { readTensor } from '../../../../src/model/checkpoint/read-tensor.js';
import type { Checkpoint } from '../../../../src/model/checkpoint/types.js';
import { MODELS, contents, floats, put, random, refuses, flip, safetensors, scratch } from './support.js';

const DNABERT = `${MODELS}/dnabert2-tiny`;
const ESM = `${MODELS}/esm2-tiny`;
const FAIR = `${MODELS}/esm2-tiny-fair`;
const CLASSIFIER = `${MODELS}/classifier-tiny`;

describe('openCheckpoint', () => {
  let folder: string;
  let remove: () => Promise<void>;
  before(async () => ({ folder, remove } = await scratch()));
  after(() => remove());

  describe('gives the same tensors in every format', () => {
    it('DNABERT-2: safetensors and torch zip', async () => {
      const [a, b] = await Promise.all([openCheckpoint(DNABERT), openCheckpoint(`${DNABERT}/pytorch_model.bin`)]);
      assert.equal(a.format, 'safetensors');
      assert.equal(b.format, 'torch-zip');
      assert.equal(a.tensors.size, 39);
      assert.deepEqual(await contents(a), await contents(b));
    });

    it('ESM-2: safetensors and sharded torch zip', async () => {
      const [a, b] = await Promise.all([openCheckpoint(ESM), openCheckpoint(`${ESM}/pytorch_model.bin.index.json`)]);
      assert.equal(a.tensors.size, 57);
      assert.deepEqual(
        b.files.map((file) => path.basename(file)),
        ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'],
      );
      assert.deepEqual(await contents(a), await contents(b));
    });

    it('ESM-2: fair-esm, names kept as they are', async () => {
      const fair = await openCheckpoint(`${FAIR}/esm2_tiny.pt`);
      const hub = await openCheckpoint(ESM);
      const names = [...fair.tensors.keys()].filter((name) => hub.tensors.has(hubName(name)));
      assert(names.every((name) => name.startsWith('encoder.')));
      assert.equal(names.length, 3 * 16 + 3);
      for (const name of names) {
        assert.deepEqual(await values(fair, name), await values(hub, hubName(name)), name);
      }
    });

    it('classifier: whole module, state dict and safetensors', async () => {
      const [module, dict, safe] = await Promise.all(
        ['tiny_model.pth', 'tiny_state_dict.pth', 'tiny.safetensors'].map(async (name) =>
          contents(await openCheckpoint(`${CLASSIFIER}/${name}`)),
        ),
      );
      assert.equal(Object.keys(module!).length, 9);
      assert.match(module!['bn1.num_batches_tracked']!, /^I64 {2}/);
      assert.deepEqual(module, dict);
      assert.deepEqual(dict, safe);
    });

    it('half precision holds the rounded float32 values', async () => {
      const [full, half] = await Promise.all(
        ['esm2_tiny.pt', 'esm2_tiny_half.pt'].map((name) => openCheckpoint(`${FAIR}/${name}`)),
      );
      assert.deepEqual([...half!.tensors.keys()], [...full!.tensors.keys()]);
      for (const name of full!.tensors.keys()) {
        assert.equal(half!.tensors.get(name)!.dtype, 'F16');
        assert.deepEqual(await values(half!, name), (await values(full!, name)).map(roundToFloat16), name);
      }
    });

    it('bfloat16 holds the rounded float32 values', async () => {
      const [full, brain] = await Promise.all([openCheckpoint(ESM), openCheckpoint(`${MODELS}/esm2-tiny-bf16`)]);
      for (const [name, { dtype }] of full.tensors) {
        if (dtype === 'I64') continue;
        assert.equal(brain.tensors.get(name)!.dtype, 'BF16');
        assert.deepEqual(await values(brain, name), roundToBfloat16(await values(full, name)), name);
      }
    });
  });

  describe('finds the checkpoint', () => {
    it('tells the kind by content, not by name', async () => {
      const file = await put(folder, await readFile(`${CLASSIFIER}/tiny_model.pth`), 'named.safetensors');
      assert.equal((await openCheckpoint(file)).format, 'torch-zip');
    });

    it('takes the hub names in order, then the only checkpoint', async () => {
      const model = path.join(folder, 'order');
      await mkdir(model);
      await copyFile(`${CLASSIFIER}/tiny_model.pth`, path.join(model, 'classifier.pth'));
      const opened = async (): Promise<string> => path.basename((await openCheckpoint(model)).files[0]!);
      assert.equal(await opened(), 'classifier.pth');
      await copyFile(`${CLASSIFIER}/tiny.safetensors`, path.join(model, 'other.safetensors'));
      await refuses(openCheckpoint(model), /several checkpoints: classifier\.pth, other\.safetensors.*Name one/);
      await copyFile(`${DNABERT}/pytorch_model.bin`, path.join(model, 'pytorch_model.bin'));
      assert.equal(await opened(), 'pytorch_model.bin');
      await copyFile(`${DNABERT}/model.safetensors`, path.join(model, 'model.safetensors'));
      assert.equal(await opened(), 'model.safetensors');
    });

    it('follows the links of a hub cache to the real files, sharded too', async () => {
      const [blobs, snapshot] = [path.join(folder, 'hub/blobs'), path.join(folder, 'hub/snapshots/rev')];
      await mkdir(blobs, { recursive: true });
      await mkdir(snapshot, { recursive: true });
      const names = ['pytorch_model.bin.index.json', ...[1, 2].map((n) => `pytorch_model-0000${n}-of-00002.bin`)];
      for (const [i, name] of names.entries()) {
        await copyFile(`${ESM}/${name}`, path.join(blobs, `blob${i}`));
        await symlink(`../../blobs/blob${i}`, path.join(snapshot, name));
      }
      const checkpoint = await openCheckpoint(snapshot);
      const real = await realpath(blobs);
      assert.deepEqual(checkpoint.files, [path.join(real, 'blob1'), path.join(real, 'blob2')]);
      assert.deepEqual(await contents(checkpoint), await contents(await openCheckpoint(ESM)));
    });

    it('needs no right to write', async () => {
      const model = path.join(folder, 'read-only');
      await mkdir(model);
      await copyFile(`${CLASSIFIER}/tiny.safetensors`, path.join(model, 'model.safetensors'));
      await chmod(path.join(model, 'model.safetensors'), 0o444);
      await chmod(model, 0o555);
      try {
        assert.equal((await openCheckpoint(model)).tensors.size, 9);
      } finally {
        await chmod(model, 0o755);
      }
    });
  });

  describe('refuses with one clear error', () => {
    it('missing, empty, folders, links to nowhere, devices', async () => {
      await refuses(openCheckpoint(path.join(folder, 'absent')), /no such file.*absent.*Check the path/);
      await refuses(openCheckpoint(await put(folder, '')), /empty file.*Download it again/);
      await mkdir(path.join(folder, 'nothing'));
      await refuses(
        openCheckpoint(path.join(folder, 'nothing')),
        /without a checkpoint: looked for model\.safetensors, /,
      );
      await symlink('gone', path.join(folder, 'dangling'));
      await refuses(openCheckpoint(path.join(folder, 'dangling')), /link to a file that is not there/);
      await refuses(openCheckpoint('/dev/zero'), /not a regular file/);
    });

    it('Git LFS pointers, web pages, legacy torch files, other files', async () => {
      const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 2700000000\n';
      await refuses(openCheckpoint(await put(folder, pointer, 'pytorch_model.bin')), /Git LFS pointer.*`git lfs pull`/);
      await refuses(openCheckpoint(await put(folder, '<!DOCTYPE html><html></html>')), /web page/);
      const legacyMagic = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
      await refuses(openCheckpoint(await put(folder, legacyMagic)), /legacy torch.*torch\.save\(torch\.load\(/);
      const tar = Buffer.alloc(1024);
      tar.write('storages', 0);
      tar.write('ustar', 257);
      await refuses(openCheckpoint(await put(folder, tar)), /legacy torch/);
      await refuses(openCheckpoint(await put(folder, 'ACGT\n')), /begins with "ACGT/);
      await refuses(openCheckpoint(`${DNABERT}/config.json`), /not the index of a sharded checkpoint/);
    });

    it('an index whose shards are missing, elsewhere, incomplete or mixed', async () => {
      const index = async (map: Record<string, string>): Promise<string> =>
        put(folder, JSON.stringify({ weight_map: map }));
      const entry = (at: number): object => ({ dtype: 'F32', shape: [1], data_offsets: [at, at + 4] });
      await put(folder, safetensors({ a: entry(0) }, floats(1)), 'shard-a');
      await copyFile(`${CLASSIFIER}/tiny_model.pth`, path.join(folder, 'shard-b'));
      assert.deepEqual([...(await openCheckpoint(await index({ a: 'shard-a' }))).tensors.keys()], ['a']);
      await refuses(openCheckpoint(await index({ a: 'shard-c' })), /no such file.*shard-c/);
      for (const outside of ['../shard-a', '/etc/passwd', '..', '.', '', 'sub\\shard', 'a\0b']) {
        await refuses(openCheckpoint(await index({ a: outside })), /outside its folder/);
      }
      await refuses(openCheckpoint(await index({ a: 'shard-a', b: 'shard-a' })), /shard-a lacks the tensor b/);
      await refuses(openCheckpoint(await index({ a: 'shard-a', 'bn1.bias': 'shard-b' })), /different formats/);
      const both = { a: entry(0), b: entry(4) };
      await put(folder, safetensors(both, floats(1, 2)), 'shard-d');
      await refuses(openCheckpoint(await index({ a: 'shard-a', b: 'shard-d' })), /tensor a is there twice/);
      await put(folder, JSON.stringify({ weight_map: { a: 'shard-e' } }), 'shard-e');
      await refuses(openCheckpoint(path.join(folder, 'shard-e')), /index itself/);
      await refuses(openCheckpoint(await index({})), /0 shards/);
      await refuses(openCheckpoint(await put(folder, '{"weight_map": {"a": 5}}')), /not the index/);
    });

    it('every format cut at every twentieth', async () => {
      for (const name of [
        `${CLASSIFIER}/tiny_model.pth`,
        `${CLASSIFIER}/tiny.safetensors`,
        `${FAIR}/esm2_tiny_half.pt`,
      ]) {
        const whole = await readFile(name);
        for (let part = 0; part < 20; part++) {
          const cut = await put(folder, whole.subarray(0, Math.floor((whole.length * part) / 20)), 'cut');
          await refuses(openCheckpoint(cut), /./);
        }
        await refuses(openCheckpoint(await put(folder, whole.subarray(0, -1), 'cut')), /./);
      }
    });
  });

  it('notices every flipped bit of a torch zip that matters', async function () {
    const whole = await readFile(`${CLASSIFIER}/tiny_state_dict.pth`);
    const expected = await contents(await openCheckpoint(`${CLASSIFIER}/tiny_state_dict.pth`));
    const next = random(1);
    let noticed = 0;
    for (let i = 0; i < 300; i++) {
      // A third in the directory at the end, which is small but says where everything is.
      const at = i % 3 === 0 ? whole.length - 1 - next(1200) : next(whole.length);
      const file = await put(folder, flip(whole, at, next(8)), 'flipped');
      const found = await openCheckpoint(file).then(contents, (error: unknown) => error as Error);
      if (found instanceof Error) {
        assert.equal(found.name, 'ModelError', found.stack);
        noticed += 1;
      } else {
        assert.deepEqual(found, expected, `byte ${at}`);
      }
    }
    assert(noticed > 200, `${noticed} of 300`); // the others hit padding, times and versions
  });
});

async function values(checkpoint: Checkpoint, name: string): Promise<Float32Array> {
  return readTensor(checkpoint.tensors.get(name)!);
}

/** fair-esm's name of an encoder tensor as the hub's. */
function hubName(name: string): string {
  return name
    .replace('encoder.sentence_encoder.embed_tokens', 'esm.embeddings.word_embeddings')
    .replace('encoder.sentence_encoder.emb_layer_norm_after', 'esm.encoder.emb_layer_norm_after')
    .replace('encoder.sentence_encoder.layers', 'esm.encoder.layer')
    .replace(
      /self_attn\.([qkv])_proj/,
      (_, letter: string) => `attention.self.${{ q: 'query', k: 'key', v: 'value' }[letter]}`,
    )
    .replace('self_attn.out_proj', 'attention.output.dense')
    .replace('self_attn_layer_norm', 'attention.LayerNorm')
    .replace('fc1', 'intermediate.dense')
    .replace('fc2', 'output.dense')
    .replace('final_layer_norm', 'LayerNorm');
}

/** Rounded to the nearest half, ties to even; written apart from the code under test. */
function roundToFloat16(value: number): number {
  const step = 2 ** Math.max(Math.floor(Math.log2(Math.abs(value))) - 10, -24);
  const scaled = value / step;
  const floor = Math.floor(scaled);
  const up = scaled - floor > 0.5 || (scaled - floor === 0.5 && floor % 2 !== 0);
  return value === 0 ? value : (up ? floor + 1 : floor) * step;
}

function roundToBfloat16(values: Float32Array): Float32Array {
  const bits = new Uint32Array(values.slice().buffer);
  return new Float32Array(bits.map((word) => (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000).buffer);
}
