import assert from 'node:assert/strict';
import { InternalError, ModelError } from '../../../src/contract/failures.js';
import { labelOf, toPredictions } from '../../../src/scoring/classify.js';

describe('scoring/classify', () => {
  it('labels by argmax, a tie by the first index', () => {
    assert.equal(labelOf(0.25, 0.75), 'virus');
    assert.equal(labelOf(0.75, 0.25), 'others');
    assert.equal(labelOf(0.5, 0.5), 'others');
    assert.equal(labelOf(0.5, Math.fround(0.50000006)), 'virus');
  });

  it('reads others first, virus second', () => {
    assert.deepEqual(toPredictions(['x', 'y'], Float32Array.of(0.25, 0.75, 1, 0)), [
      { id: 'x', label: 'virus', score1: 0.25, score2: 0.75 },
      { id: 'y', label: 'others', score1: 1, score2: 0 },
    ]);
  });

  it('refuses scores that are no numbers, and too few of them', () => {
    assert.throws(
      () => toPredictions(['x', 'y'], Float32Array.of(0.25, 0.75, NaN, NaN)),
      (error) => error instanceof ModelError && error.where === 'frame y',
    );
    assert.throws(() => toPredictions(['x', 'y'], Float32Array.of(0.25, 0.75)), InternalError);
  });
});
