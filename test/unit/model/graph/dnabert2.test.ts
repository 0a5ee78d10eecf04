import assert from 'node:assert/strict';
import { alibiSlopes } from '../../../../src/model/graph/dnabert2.js';

describe('alibiSlopes', () => {
  it('halves from head to head for 8 heads', () => {
    assert.deepEqual(alibiSlopes(8), [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]);
  });

  it('adds every other slope of 16 heads for 12 heads', () => {
    const slopes = alibiSlopes(12);
    assert.deepEqual(slopes.slice(0, 8), alibiSlopes(8));
    assert.deepEqual(slopes.slice(8), [2 ** -0.5, 2 ** -1.5, 2 ** -2.5, 2 ** -3.5]);
  });
});
