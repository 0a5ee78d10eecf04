import { Context } from '@temporalio/activity';
import { BEATS_PER_TIMEOUT } from '../contract/defaults.js';

/** A heartbeat in the background; `details` is what the Temporal UI shows of it. */
export interface Heartbeat {
  /** Replaces the details and counts as progress. */
  progress(details: unknown): void;
  stop(): void;
}

/**
 * Beats from now on, several times within the activity's heartbeat timeout. With `stalledMs`, beats stop when nothing
 * called `progress` for that long: then the server takes the activity for dead, which it is.
 */
export function startHeartbeat(initial: unknown, stalledMs = Infinity): Heartbeat {
  const context = Context.current();
  let details = initial;
  let last = Date.now();
  const beat = (): void => {
    if (Date.now() - last < stalledMs) context.heartbeat(details);
  };
  beat();
  const timer = setInterval(beat, (context.info.heartbeatTimeoutMs ?? 15_000) / BEATS_PER_TIMEOUT);
  return {
    progress: (next) => {
      details = next;
      last = Date.now();
    },
    stop: () => clearInterval(timer),
  };
}
