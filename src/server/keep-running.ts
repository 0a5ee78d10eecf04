import { once } from 'node:events';
import { sleepUnlessAborted } from './timing.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

/** A process that lived this long was healthy: the next pause is the first one again. */
const HEALTHY_MS = 30_000;

/** A process to keep running. */
export interface Kept {
  /** Starts it; returns once it is ready. */
  start(): Promise<{ exited: Promise<string>; stop(): Promise<void> }>;
  up(): void;
  /** It ended, or could not be started. Throwing ends the keeping. */
  down(why: unknown): void;
}

/** Starts `kept`, again and again with growing pauses whenever it ends, until `signal` is aborted; then stops it. */
export async function keepRunning(kept: Kept, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const asked = once(signal, 'abort').then(() => undefined);
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    const startedAt = performance.now();
    const why = await runOnce(kept, asked);
    if (signal.aborted) return;
    kept.down(why);
    if (performance.now() - startedAt > HEALTHY_MS) pause = FIRST_PAUSE_MS;
    await sleepUnlessAborted(pause, signal);
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }
}

/** Why it is not running any more: how it ended, the error of its start, or undefined when it was stopped. */
async function runOnce(kept: Kept, asked: Promise<undefined>): Promise<unknown> {
  try {
    const running = await kept.start();
    kept.up();
    const how = await Promise.race([running.exited, asked]);
    if (how === undefined) await running.stop();
    return how;
  } catch (error) {
    return error;
  }
}
