import assert from 'node:assert/strict';
import { defaultTokensPerCall, planCalls } from '../../../src/inference/batcher.js';

describe('batcher', () => {
  it('puts alike lengths together, longest first, within the budget', () => {
    assert.deepEqual(planCalls([3, 10, 4, 10, 9, 3], 20), [
      [1, 3],
      [4, 2],
      [0, 5],
    ]);
  });

  it('counts padding', () => {
    assert.deepEqual(planCalls([10, 6, 4], 20), [[0, 1], [2]]);
  });

  it('gives a sequence beyond the budget a call of its own', () => {
    assert.deepEqual(planCalls([50, 5, 60], 20), [[2], [0], [1]]);
  });

  it('makes no call for nothing', () => {
    assert.deepEqual(planCalls([], 20), []);
  });

  it('plans calls of up to about a second: one sequence for 650M weights, thousands of tokens for tiny models', () => {
    assert.equal(defaultTokensPerCall(650e6, 2), 31);
    assert.equal(defaultTokensPerCall(33e6, 2), 607);
    assert.equal(defaultTokensPerCall(200e3, 2), 4096);
  });
});
