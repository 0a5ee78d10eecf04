import assert from 'node:assert/strict';
import { defaultTokensPerCall } from '../../../src/inference/batcher.js';
import { spreadOver } from '../../../src/inference/spread.js';

const ESM2_3B = { layers: 36, parameters: 2.84e9 };
const ESM2_650M = { layers: 33, parameters: 651e6 };
const DNABERT2 = { layers: 12, parameters: 117e6 };

describe('inference/spread', () => {
  for (const [title, model, threads, segments, calls, threadsPerCall] of [
    ['one thread has a small model whole', DNABERT2, 1, 1, 1, 1],
    ['two threads have half of it each', DNABERT2, 2, 2, 2, 1],
    ['more segments where layers do not divide evenly', DNABERT2, 5, 6, 5, 1],
    ['a layer each', DNABERT2, 12, 12, 12, 1],
    ['no more calls than layers: they have more threads each', DNABERT2, 16, 12, 8, 2],
    ['33 layers by two: 17 and 16', ESM2_650M, 2, 2, 2, 1],
    ['a large model is cut further, for calls of seconds', ESM2_3B, 1, 9, 1, 1],
    ['and on two threads', ESM2_3B, 2, 9, 2, 1],
    ['at most 16 calls at once', ESM2_3B, 64, 18, 16, 4],
  ] as const) {
    it(`${title}: ${threads} threads, ${model.layers} layers`, () => {
      const { tokensPerCall, ...spread } = spreadOver(threads, model);
      assert.deepEqual(spread, { segments, calls, threadsPerCall });
      assert.equal(tokensPerCall, defaultTokensPerCall(model.parameters, threadsPerCall));
    });
  }

  it('never uses more threads than there are, nor fewer than two thirds', () => {
    for (let threads = 1; threads <= 256; threads++) {
      for (const model of [DNABERT2, ESM2_650M, ESM2_3B]) {
        const { segments, calls, threadsPerCall: each } = spreadOver(threads, model);
        assert.ok(calls * each <= threads && 3 * calls * each >= 2 * threads, `${threads}: ${calls} x ${each}`);
        assert.ok(segments >= calls && segments <= model.layers, `${threads}: ${segments}`);
      }
    }
  });

  it('few sequences share all threads, and the model is still loaded by all of them', () => {
    const few = (threads: number, model: typeof ESM2_650M, sequences: number): number[] => {
      const { segments, calls, threadsPerCall } = spreadOver(threads, model, 'cpu', sequences);
      return [segments, calls, threadsPerCall];
    };
    assert.deepEqual(few(2, ESM2_650M, 1), [2, 1, 2]);
    assert.deepEqual(few(8, DNABERT2, 2), [12, 2, 4]);
    assert.deepEqual(few(8, DNABERT2, 3), [12, 3, 2]);
    assert.deepEqual(few(8, DNABERT2, 5), [12, 5, 1]);
    assert.deepEqual(few(2, DNABERT2, 0), [2, 1, 2]);
  });

  it('another device has the model whole', () => {
    const whole = { segments: 1, calls: 1, threadsPerCall: 16, tokensPerCall: 4096 };
    assert.deepEqual(spreadOver(16, ESM2_3B, 'cuda'), whole);
  });
});
