import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../contract/failures.js';

const WAIT_MS = { first: 1_000, longest: 30_000 } as const;

/**
 * Does `work` again, with backoff, for as long as the store refuses (disk full, store away): vectors that took an hour
 * to compute wait in memory for the disk.
 * @param onWait told why, before each wait.
 * @throws the signal's reason when it is aborted meanwhile.
 */
export async function withStoragePatience<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  onWait: (reason: StorageError) => void,
): Promise<T> {
  for (let wait: number = WAIT_MS.first; ; wait = Math.min(2 * wait, WAIT_MS.longest)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      onWait(error);
      await sleep(wait, undefined, { signal }).catch(() => {
        throw signal.reason;
      });
    }
  }
}
