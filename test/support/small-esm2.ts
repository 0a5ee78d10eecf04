import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MODELS, type PlainTensors, writeSafetensors } from './tiny-models.js';

/** Of the catalogue's esm2-8m; the feed-forward block is kept small, since no check looks at it. */
const SIZES = { hidden: 320, layers: 6, heads: 20, intermediate: 8, vocabulary: 33 };

/** A model folder of esm2-8m's sizes with random weights, 10 MB; each `seed` gives another. */
export async function writeSmallEsm2(folder: string, seed = 1): Promise<string> {
  const { hidden, layers, heads, intermediate, vocabulary } = SIZES;
  const tensors: PlainTensors = new Map();
  let state = seed;
  const add = (name: string, ...shape: number[]): void => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    for (let i = 0; i < values.length; i += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      values[i] = (state / 2 ** 32 - 0.5) / 8;
    }
    tensors.set(`esm.${name}`, { shape, values });
  };
  const dense = (name: string, out: number, into: number): void => {
    add(`${name}.weight`, out, into);
    add(`${name}.bias`, out);
  };
  const norm = (name: string): void => {
    add(`${name}.weight`, hidden);
    add(`${name}.bias`, hidden);
  };
  add('embeddings.word_embeddings.weight', vocabulary, hidden);
  for (let layer = 0; layer < layers; layer += 1) {
    const prefix = `encoder.layer.${layer}`;
    for (const part of ['self.query', 'self.key', 'self.value', 'output.dense']) {
      dense(`${prefix}.attention.${part}`, hidden, hidden);
    }
    norm(`${prefix}.attention.LayerNorm`);
    dense(`${prefix}.intermediate.dense`, intermediate, hidden);
    dense(`${prefix}.output.dense`, hidden, intermediate);
    norm(`${prefix}.LayerNorm`);
    const half = hidden / heads / 2;
    tensors.set(`esm.${prefix}.attention.self.rotary_embeddings.inv_freq`, {
      shape: [half],
      values: Float32Array.from({ length: half }, (_, i) => 10_000 ** (-i / half)),
    });
  }
  norm('encoder.emb_layer_norm_after');
  await mkdir(folder, { recursive: true });
  await writeSafetensors(path.join(folder, 'model.safetensors'), tensors);
  await copyFile(path.join(MODELS, 'esm2-tiny/vocab.txt'), path.join(folder, 'vocab.txt'));
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ num_attention_heads: heads }));
  return folder;
}
