import { Context } from '@temporalio/activity';
import { BEATS_PER_TIMEOUT, HEARTBEAT_MS } from '../contract/defaults.js';

/** A heartbeat in the background; `details` is what the Temporal UI shows of it. */
export interface Heartbeat {
  details(details: unknown): void;
  stop(): void;
}

/**
 * Beats from now on, several times within the activity's heartbeat timeout, for as long as `alive` says so: an
 * activity that hangs goes silent, and the server takes it for dead, which it is.
 */
export function startHeartbeat(initial: unknown, alive: () => boolean = () => true): Heartbeat {
  const context = Context.current();
  let details = initial;
  const beat = (): void => {
    if (alive()) context.heartbeat(details);
  };
  beat();
  const timer = setInterval(beat, (context.info.heartbeatTimeoutMs ?? HEARTBEAT_MS) / BEATS_PER_TIMEOUT);
  return {
    details: (next) => {
      details = next;
    },
    stop: () => clearInterval(timer),
  };
}

/** An activity without progress of its own to tell, beating while it runs. */
export function beating<A extends unknown[], R>(activity: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return async (...args) => {
    const heartbeat = startHeartbeat({ state: 'running' });
    try {
      return await activity(...args);
    } finally {
      heartbeat.stop();
    }
  };
}
