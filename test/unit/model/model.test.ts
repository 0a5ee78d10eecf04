import assert from 'node:assert/strict';
import { copyFile, cp, mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../../../src/contract/failures.js';
import { Embedder } from '../../../src/inference/embedder.js';
import { openModel } from '../../../src/model/model.js';
import {
  changedModel,
  goldenEmbeddings,
  MODELS,
  type PlainTensors,
  temporaryFolder,
} from '../../support/tiny-models.js';

const ESM_LAYER_1 = 'esm.encoder.layer.1';

async function refused(model: string, words: RegExp): Promise<void> {
  await assert.rejects(openModel(model, '/nowhere'), (error: Error) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.match(error.message, words);
    return true;
  });
}

/** The vector of one sequence. */
async function embedOne(model: string, cacheDir: string, sequence: string): Promise<Float32Array> {
  const embedder = await Embedder.open({ model, cacheDir, threads: 1 });
  const vector = await embedder.embed([sequence]);
  await embedder.close();
  return vector;
}

describe('openModel', () => {
  it('finds kind and sizes in the checkpoint, in every format', async () => {
    const dims = { hidden: 80, layers: 3, heads: 20, intermediate: 320, vocabulary: 33 };
    for (const name of ['esm2-tiny', 'esm2-tiny-bf16', 'esm2-tiny-fair/esm2_tiny.pt']) {
      const model = await openModel(`${MODELS}/${name}`, '/nowhere');
      assert.deepEqual([model.kind, model.dims, model.parameters], ['esm2', dims, 236320]);
    }
    const dna = await openModel(`${MODELS}/dnabert2-tiny`, '/nowhere');
    assert.equal(dna.kind, 'dnabert2');
    assert.deepEqual(dna.dims, { hidden: 96, layers: 3, heads: 12, intermediate: 192, vocabulary: 4096 });
  });

  it('has one digest for copies and another for other weights', async () => {
    const same = await changedModel('esm2-tiny', () => {});
    const other = await changedModel('esm2-tiny', (tensors) => {
      tensors.get(`${ESM_LAYER_1}.intermediate.dense.weight`)!.values[0]! += 1e-3;
    });
    const digests = await Promise.all(
      [`${MODELS}/esm2-tiny`, same, other].map(async (model) => (await openModel(model, '/nowhere')).digest),
    );
    assert.equal(digests[0], digests[1]);
    assert.notEqual(digests[0], digests[2]);
  });

  it('reads checkpoints with other prefixes', async () => {
    const { sequence } = (await goldenEmbeddings('esm2'))[0]!;
    const expected = await embedOne(`${MODELS}/esm2-tiny`, '/nowhere', sequence);
    for (const prefix of ['', 'module.esm.']) {
      const model = await changedModel('esm2-tiny', (tensors) => rename(tensors, /^esm\./, prefix));
      assert.deepEqual(await embedOne(model, '/nowhere', sequence), expected);
    }
    const dna = await changedModel('dnabert2-tiny', (tensors) => rename(tensors, /^/, 'bert.'));
    assert.deepEqual(
      await embedOne(dna, '/nowhere', 'GATTACA'),
      await embedOne(`${MODELS}/dnabert2-tiny`, '/nowhere', 'GATTACA'),
    );
  });

  it('computes the rotary table when the checkpoint has none', async () => {
    const model = await changedModel('esm2-tiny', (tensors) => {
      for (const name of [...tensors.keys()]) if (name.endsWith('inv_freq')) tensors.delete(name);
    });
    assert.deepEqual(
      await embedOne(model, '/nowhere', 'MKVLAAGG'),
      await embedOne(`${MODELS}/esm2-tiny`, '/nowhere', 'MKVLAAGG'),
    );
  });

  it('names a tensor that is missing or has another shape, and both shapes', async () => {
    const name = `${ESM_LAYER_1}.attention.self.key.weight`;
    const missing = await changedModel('esm2-tiny', (tensors) => tensors.delete(name));
    await refused(
      missing,
      /tensor esm\.encoder\.layer\.1\.attention\.self\.key\.weight of shape \[80, 80\] is missing/,
    );
    const wrong = await changedModel('esm2-tiny', (tensors) => (tensors.get(name)!.shape = [40, 160]));
    await refused(wrong, /layer\.1\.attention\.self\.key\.weight has shape \[40, 160\], expected \[80, 80\]/);
  });

  it('names both kinds when it is no encoder, and both sizes when it is not the expected one', async () => {
    await refused(`${MODELS}/classifier-tiny/tiny.safetensors`, /neither a DNABERT-2\/-S nor an ESM-2 .*bn1/);
    const expected = { kind: 'esm2', hidden: 2560, layers: 36, heads: 40 } as const;
    await assert.rejects(
      openModel(`${MODELS}/esm2-tiny`, '/nowhere', expected),
      /is esm2, hidden 80, 3 layers, 20 heads, expected esm2, hidden 2560, 36 layers, 40 heads/,
    );
  });

  it('refuses a config.json or tokenizer that does not fit the weights', async () => {
    const heads = await changedModel('esm2-tiny', () => {});
    await writeFile(path.join(heads, 'config.json'), '{"num_attention_heads": 10}');
    await refused(heads, /heads is 10 \(config.json: 10; rotary table: 20\)/);
    const broken = await changedModel('esm2-tiny', () => {});
    await writeFile(path.join(broken, 'config.json'), '{"num_att');
    await refused(broken, /not a JSON object .*config\.json/);
    await truncate(path.join(broken, 'config.json'), 2 ** 33);
    await refused(broken, /8589934592 bytes, allowed are 16777216 .*config\.json/);
    const vocabulary = await changedModel('esm2-tiny', () => {});
    await writeFile(path.join(vocabulary, 'vocab.txt'), '<cls>\n<pad>\n<eos>\n'.repeat(20));
    await refused(vocabulary, /tokenizer has 60 tokens, but esm\.embeddings\.word_embeddings\.weight only 33 rows/);
    const bare = await temporaryFolder();
    await copyFile(`${MODELS}/dnabert2-tiny/model.safetensors`, path.join(bare, 'model.safetensors'));
    await refused(bare, /attention heads is undefined/);
    await copyFile(`${MODELS}/dnabert2-tiny/config.json`, path.join(bare, 'config.json'));
    await refused(bare, /tokenizer\.json is missing/);
  });

  it('loads from a hub cache of links, and writes nothing', async () => {
    const cacheDir = await temporaryFolder();
    const hub = await temporaryFolder();
    const snapshot = path.join(hub, 'snapshots', 'abc');
    await mkdir(path.join(hub, 'blobs'));
    await mkdir(snapshot, { recursive: true });
    for (const [i, name] of (await readdir(`${MODELS}/dnabert2-tiny`)).entries()) {
      await copyFile(path.join(MODELS, 'dnabert2-tiny', name), path.join(hub, 'blobs', `blob${i}`));
      await symlink(`../../blobs/blob${i}`, path.join(snapshot, name));
    }
    const before = await readdir(hub, { recursive: true });
    assert.deepEqual(
      await embedOne(snapshot, cacheDir, 'GATTACA'),
      await embedOne(`${MODELS}/dnabert2-tiny`, cacheDir, 'GATTACA'),
    );
    assert.deepEqual(await readdir(hub, { recursive: true }), before);
    assert.deepEqual(await readdir(cacheDir), []);
  });

  it('hard-links shards that lie in several folders, and copies none', async () => {
    const cacheDir = await temporaryFolder();
    const folder = await temporaryFolder();
    const index = JSON.parse(await readFile(`${MODELS}/esm2-tiny/pytorch_model.bin.index.json`, 'utf8')) as {
      weight_map: Record<string, string>;
    };
    await cp(`${MODELS}/esm2-tiny/pytorch_model.bin.index.json`, path.join(folder, 'pytorch_model.bin.index.json'));
    await cp(`${MODELS}/esm2-tiny/config.json`, path.join(folder, 'config.json'));
    const shards = [...new Set(Object.values(index.weight_map))].sort();
    for (const shard of shards) {
      const elsewhere = await temporaryFolder();
      await copyFile(path.join(MODELS, 'esm2-tiny', shard), path.join(elsewhere, 'weights.bin'));
      await symlink(path.join(elsewhere, 'weights.bin'), path.join(folder, shard));
    }
    const expected = await embedOne(`${MODELS}/esm2-tiny`, cacheDir, 'MKVLA');
    for (let time = 0; time < 2; time += 1) assert.deepEqual(await embedOne(folder, cacheDir, 'MKVLA'), expected);
    const [digest] = await readdir(path.join(cacheDir, 'shards'));
    const linked = path.join(cacheDir, 'shards', digest!);
    assert.deepEqual((await readdir(linked)).sort(), ['0-weights.bin', '1-weights.bin']);
    assert.equal((await stat(path.join(linked, '0-weights.bin'))).nlink, 2);
  });
});

function rename(tensors: PlainTensors, from: RegExp, to: string): void {
  for (const [name, tensor] of [...tensors]) {
    tensors.delete(name);
    tensors.set(name.replace(from, to), tensor);
  }
}
