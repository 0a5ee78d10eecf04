import { syncBuiltinESMExports } from 'node:module';
import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

/**
 * Runs `work` with timeouts (not intervals) that end only by a tick of this clock: a millisecond at a time, for as long
 * as `work` takes.
 * @returns what `work` returns, and the milliseconds that it waited.
 */
export async function withFakeTime<T>(work: () => Promise<T>): Promise<{ result: T; waitedMs: number }> {
  mock.timers.enable({ apis: ['setTimeout'] });
  // So that `import { setTimeout } from 'node:timers/promises'` has it, too.
  syncBuiltinESMExports();
  try {
    let over = false;
    const working = work().finally(() => (over = true));
    working.catch(() => {});
    let waitedMs = 0;
    for (await settle(); !over; await settle()) {
      mock.timers.tick(STEP_MS);
      waitedMs += STEP_MS;
      if (waitedMs > LONGEST_MS) throw new Error(`not over after ${LONGEST_MS} ms`);
    }
    return { result: await working, waitedMs };
  } finally {
    mock.timers.reset();
    syncBuiltinESMExports();
  }
}

/** Waits of the product are multiples of this. */
const STEP_MS = 250;

/** More than any wait of the product that a test goes through. */
const LONGEST_MS = 10 * 60_000;

/** Lets everything happen that waits for no timeout. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}
