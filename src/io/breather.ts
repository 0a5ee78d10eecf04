import { setImmediate } from 'node:timers/promises';

/** Longest stretch of work between two turns of the event loop, in milliseconds: heartbeats and signals wait that long. */
const STRETCH_MS = 20;

/**
 * For long loops: `const breathe = breather()` and, in the loop, `const pause = breathe(); if (pause) await pause;`.
 * It asks for a turn of the event loop when the last was {@link STRETCH_MS} ago, and costs one clock reading otherwise.
 * @throws the signal's reason once it is aborted.
 */
export function breather(signal?: AbortSignal): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < STRETCH_MS) return undefined;
    return setImmediate().then(() => {
      signal?.throwIfAborted();
      last = performance.now();
    });
  };
}
