import assert from 'node:assert/strict';
import { spreadOver } from '../../../src/inference/spread.js';

const ESM2_3B = { layers: 36, parameters: 2.84e9 };
const ESM2_650M = { layers: 33, parameters: 651e6 };
const DNABERT2 = { layers: 12, parameters: 117e6 };

describe('inference/spread', () => {
  for (const [title, model, threads, segments, calls, threadsEach] of [
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
      assert.deepEqual(spreadOver(threads, model), { segments, calls, threads: threadsEach });
    });
  }

  it('never uses more threads than there are, nor fewer than two thirds', () => {
    for (let threads = 1; threads <= 256; threads++) {
      for (const model of [DNABERT2, ESM2_650M, ESM2_3B]) {
        const { segments, calls, threads: each } = spreadOver(threads, model);
        assert.ok(calls * each <= threads && 3 * calls * each >= 2 * threads, `${threads}: ${calls} x ${each}`);
        assert.ok(segments >= calls && segments <= model.layers, `${threads}: ${segments}`);
      }
    }
  });

  it('few sequences share all threads, and the model is still loaded by all of them', () => {
    assert.deepEqual(spreadOver(2, ESM2_650M, 'cpu', 1), { segments: 2, calls: 1, threads: 2 });
    assert.deepEqual(spreadOver(8, DNABERT2, 'cpu', 2), { segments: 12, calls: 2, threads: 4 });
    assert.deepEqual(spreadOver(2, DNABERT2, 'cpu', 0), { segments: 2, calls: 1, threads: 2 });
  });

  it('another device has the model whole', () => {
    assert.deepEqual(spreadOver(16, ESM2_3B, 'cuda'), { segments: 1, calls: 1, threads: 16 });
  });
});
