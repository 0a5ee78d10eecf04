import type { LockOwner } from '../../model/store/lock.js';

/** Says who is at work on the model that a command waits for. */
export function sayWaiting(owner: LockOwner | undefined): void {
  const who = owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host.split(' ')[0]}`;
  process.stderr.write(`Waiting for ${who}, which is at work on this model\n`);
}
