import assert from 'node:assert/strict';
import { withStoragePatience } from '../../../src/activities/storage-patience.js';
import { StorageError } from '../../../src/contract/failures.js';
import { withFakeTime } from '../../support/fake-time.js';

const full = (what: string): StorageError => new StorageError({ what, next: 'Free some space' });

/** Refuses so many times, then returns 7. */
function refusing(times: number): () => Promise<number> {
  let refused = 0;
  return async () => {
    if (refused === times) return 7;
    refused += 1;
    throw full(`full ${refused}`);
  };
}

describe('activities/storage-patience', () => {
  // One a test: the fake clock leaves its listeners on it.
  let signal: AbortSignal;
  beforeEach(() => ({ signal } = new AbortController()));

  it('returns at once what is stored at once', async () => {
    assert.equal(await withStoragePatience(refusing(0), signal, assert.fail), 7);
  });

  for (const [times, seconds] of [
    [1, 1],
    [3, 7],
    [7, 91],
  ] as const) {
    it(`refused ${times} times, it has waited ${seconds} s (1, 2, 4, 8, 16, then 30), telling why before each wait`, async () => {
      const reasons: string[] = [];
      const { result, waitedMs } = await withFakeTime(() =>
        withStoragePatience(refusing(times), signal, ({ what }) => reasons.push(what)),
      );
      assert.deepEqual([result, waitedMs], [7, seconds * 1000]);
      assert.deepEqual(
        reasons,
        Array.from({ length: times }, (_, i) => `full ${i + 1}`),
      );
    });
  }

  it('waits for nothing else', async () => {
    const failure = new TypeError('no storage matter');
    await assert.rejects(
      withStoragePatience(() => Promise.reject(failure), signal, assert.fail),
      failure,
    );
  });

  it("ends with the signal's reason when it is aborted while it waits", async () => {
    const abort = new AbortController();
    const reason = new Error('cancelled');
    const waiting = withStoragePatience(refusing(9), abort.signal, () => setImmediate(() => abort.abort(reason)));
    await assert.rejects(waiting, reason);
  });
});
