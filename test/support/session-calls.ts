import { SessionThread } from '../../src/inference/session-thread.js';

/** Counts the calls that session threads get, until `stop`. */
export function countSessionCalls(): { sent: number; stop(): void } {
  const { run } = SessionThread.prototype;
  const counted = { sent: 0, stop: () => void (SessionThread.prototype.run = run) };
  SessionThread.prototype.run = function (...call) {
    counted.sent += 1;
    return run.apply(this, call);
  };
  return counted;
}
