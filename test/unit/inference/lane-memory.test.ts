import assert from 'node:assert/strict';
import { callBytes, laneBytes, segmentBytes } from '../../../src/inference/lane-memory.js';

const ESM2_35M = { kind: 'esm2', hidden: 480, heads: 20, intermediate: 1920 } as const;
const ESM2_150M = { kind: 'esm2', hidden: 640, heads: 20, intermediate: 2560 } as const;
const ESM2_3B = { kind: 'esm2', hidden: 2560, heads: 40, intermediate: 10240 } as const;
const DNABERT2 = { kind: 'dnabert2', hidden: 768, heads: 12, intermediate: 3072 } as const;

describe('inference/lane-memory', () => {
  // Resident memory that calls of sequences of 168 tokens (502 for DNABERT-2) added, in MB: docs/decisions/025.
  for (const [name, sizes, tokens, measured] of [
    ['ESM-2 35M', ESM2_35M, 672, 27],
    ['ESM-2 35M', ESM2_35M, 5376, 197],
    ['ESM-2 35M in int8', ESM2_35M, 5376, 242],
    ['ESM-2 150M', ESM2_150M, 672, 36],
    ['ESM-2 150M', ESM2_150M, 2688, 133],
    ['DNABERT-2', DNABERT2, 672, 99],
    ['DNABERT-2', DNABERT2, 5376, 778],
    ['DNABERT-2', DNABERT2, 2008, 321],
  ] as const) {
    it(`${name}, ${tokens} tokens a call: no less than was measured, and not half as much again`, () => {
      const megabytes = callBytes(sizes, tokens) / 1e6;
      assert.ok(megabytes >= measured && megabytes < 1.5 * measured, `${megabytes}`);
    });
  }

  // What 4 x 24 sequences took beyond the model on one thread, in MB: each segment keeps a call's memory.
  for (const [name, sizes, tokens, segments, measured] of [
    ['ESM-2 35M', ESM2_35M, 301, 6, 227],
    ['ESM-2 35M', ESM2_35M, 301, 12, 480],
    ['ESM-2 35M', ESM2_35M, 1344, 6, 480],
    ['ESM-2 35M', ESM2_35M, 1344, 12, 1015],
    ['ESM-2 150M', ESM2_150M, 168, 10, 219],
    ['DNABERT-2', DNABERT2, 1344, 6, 670],
  ] as const) {
    it(`${name} in ${segments} segments, ${tokens} tokens a call: no less than was measured, and not two and a half times as much`, () => {
      const more = (segmentBytes(sizes, tokens, segments) - callBytes(sizes, tokens)) / 1e6;
      assert.ok(more >= measured && more < 2.5 * measured, `${more}`);
    });
  }

  it('adds process, weights and the call; a call is at least one sequence', () => {
    assert.equal(callBytes(ESM2_3B, 1), 4 * 168 * (7 * 2560 + 2 * 10240 + 1.5 * 40 * 168));
    assert.equal(callBytes(ESM2_3B, 1), callBytes(ESM2_3B, 168));
    assert.equal(callBytes(ESM2_3B, 336), 2 * callBytes(ESM2_3B, 168));
    const model = { ...ESM2_3B, layers: 36, parameters: 2.84e9, bytes: 11.4e9 };
    assert.equal(laneBytes(model, 168, 'cpu'), 300e6 + 11.4e9 + callBytes(ESM2_3B, 168));
    assert.equal(laneBytes(model, 168, 'cpu', 9), 300e6 + 11.4e9 + 9 * callBytes(ESM2_3B, 168) + 8 * 32e6);
  });

  it('asks the host of a GPU for what is computed there: one layer for the proof, and vectors that come back', () => {
    const model = { ...ESM2_3B, layers: 36, parameters: 2.84e9, bytes: 5.7e9 };
    const layer = (4 * 2.84e9) / 36 + callBytes(ESM2_3B, 168);
    for (const device of ['cuda', 'webgpu'] as const) {
      assert.equal(laneBytes(model, 4096, device), 300e6 + layer + 2 * 4 * 4096 * 2560);
    }
  });
});
