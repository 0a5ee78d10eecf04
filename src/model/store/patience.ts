import { setTimeout as sleep } from 'node:timers/promises';
import { PULL_PATIENCE } from '../../contract/defaults.js';
import { ModelError } from '../../contract/failures.js';
import { PassingTrouble } from './hub.js';

/** Tries in a row without getting further, and the first and longest wait between them. */
export type Patience = Record<keyof typeof PULL_PATIENCE, number>;

/** How to bear with a network. */
export interface Bearing {
  signal?: AbortSignal;
  patience?: Patience;
  /** Told of every trouble that another attempt follows. */
  onTrouble?: (trouble: string, waitMs: number) => void;
}

export interface Undertaking {
  /** What is asked for: an address. */
  where: string;
  /** How far the attempts have come together; tries count from the last that moved on. */
  position?: () => Promise<number>;
}

/**
 * Repeats `attempt` while its trouble is passing, waiting longer each time.
 * @throws ModelError when that does not help; the signal's reason; what else `attempt` throws.
 */
export async function withPatience<T>(
  attempt: () => Promise<T>,
  { where, position = () => Promise.resolve(0) }: Undertaking,
  { signal, patience = PULL_PATIENCE, onTrouble }: Bearing = {},
): Promise<T> {
  let best = await position();
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PassingTrouble)) throw error;
      const reached = await position();
      if (reached > best) failures = 1;
      best = Math.max(best, reached);
      if (failures >= patience.tries) throw gaveUp(error, failures, where);
      const wait = Math.min(patience.firstMs * 2 ** (failures - 1), patience.longestMs);
      onTrouble?.(error.message, wait);
      await sleep(wait, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

function gaveUp(cause: PassingTrouble, tries: number, where: string): ModelError {
  return new ModelError({
    what: `download fails: ${cause.message} (tried ${tries} times)`,
    where,
    next: 'Check the network, HF_ENDPOINT and proxies, then repeat the command: it goes on where it stopped',
    cause,
  });
}
