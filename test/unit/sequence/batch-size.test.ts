import assert from 'node:assert/strict';
import { batchSize } from '../../../src/sequence/batch-size.js';

describe('sequence/batch-size', () => {
  it('is ceil(frames / 64) between 200 and 10,000', () => {
    const cases = [0, 12_800, 12_801, 64_000, 640_000, 10_000_000].map(batchSize);
    assert.deepEqual(cases, [200, 200, 201, 1000, 10_000, 10_000]);
  });
});
