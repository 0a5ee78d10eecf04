import assert from 'node:assert/strict';
import { pooledSpan } from '../../../src/inference/feeds.js';
import { meanOfSpans } from '../../../src/inference/pooling.js';

describe('pooling', () => {
  it("takes the mean over each row's own span", () => {
    const vectors = Float32Array.of(1, 10, 2, 20, 6, 60, /* second row */ 5, 50, 7, 70, 99, 99);
    const spans = [
      { from: 0, to: 3 },
      { from: 1, to: 2 },
    ];
    assert.deepEqual(meanOfSpans(vectors, { spans, hidden: 2 }), Float32Array.of(3, 30, 7, 70));
  });

  it('pools all DNABERT tokens and the first 1,024 residues of ESM-2', () => {
    assert.deepEqual(pooledSpan('dnabert2', 7), { from: 0, to: 7 });
    assert.deepEqual(pooledSpan('esm2', 7), { from: 1, to: 6 });
    assert.deepEqual(pooledSpan('esm2', 1102), { from: 1, to: 1025 });
  });
});
