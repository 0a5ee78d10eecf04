import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Embedder } from '../../../src/inference/embedder.js';

const golden = 'test/fixtures/golden';
const cacheDir = tmpdir();

interface Reference {
  sequence: string;
  mean: number[];
}

function references(name: string): Reference[] {
  return JSON.parse(readFileSync(`${golden}/embeddings/${name}.json`, 'utf8')) as Reference[];
}

/** Largest difference from the reference, relative to the reference's norm. */
function error(vector: Float32Array, reference: number[]): number {
  const norm = Math.hypot(...reference);
  return Math.max(...reference.map((value, i) => Math.abs(value - vector[i]!))) / norm;
}

describe('Embedder', () => {
  for (const [model, name] of [
    ['dnabert2-tiny', 'dnabert2'],
    ['dnabert2-tiny/pytorch_model.bin', 'dnabert2'],
    ['esm2-tiny', 'esm2'],
    ['esm2-tiny/pytorch_model.bin.index.json', 'esm2'],
    ['esm2-tiny-fair/esm2_tiny.pt', 'esm2'],
    ['esm2-tiny-fair/esm2_tiny_half.pt', 'esm2_half'],
    ['esm2-tiny-bf16', 'esm2_bf16'],
  ] as const) {
    it(`gives the reference's vectors from ${model}`, async () => {
      const embedder = await Embedder.open({ model: `${golden}/models/${model}`, cacheDir, threads: 1 });
      const expected = references(name);
      const vectors = await embedder.embed(expected.map(({ sequence }) => sequence));
      await embedder.close();
      const { hidden } = embedder.facts;
      assert.equal(vectors.length, expected.length * hidden);
      expected.forEach(({ mean }, i) => {
        const difference = error(vectors.subarray(i * hidden, (i + 1) * hidden), mean);
        assert.ok(difference < 1e-5, `sequence ${i}: ${difference}`);
      });
    });
  }
});
