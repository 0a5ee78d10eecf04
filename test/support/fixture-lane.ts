/**
 * A lane's process without a model and without Temporal, for LaneHandle. It does what the `start` message's model path
 * (JSON of {@link FixtureLane}) says, and otherwise what lane-process.ts would.
 */
import process from 'node:process';
import type { FromLane, ToLane } from '../../src/workers/lane-protocol.js';

/** What one fixture process does. `$CUDA`, `$TITLE` in a text are its own. */
export interface FixtureLane {
  /** Told instead of `warm`, one after another. */
  onStart?: FromLane[];
  /** Told after `opened`. */
  onOpen?: FromLane[];
  /** How it ends right after it was opened. */
  end?: number | 'SIGABRT';
}

let lane: FixtureLane = {};

function tell(message: FromLane): void {
  const text = JSON.stringify(message)
    .replace('$CUDA', process.env['CUDA_VISIBLE_DEVICES'] ?? 'unset')
    .replace('$TITLE', process.argv[2] ?? '');
  process.send!(JSON.parse(text));
}

function handle(message: ToLane): void {
  switch (message.op) {
    case 'start':
      lane = JSON.parse(message.model.path) as FixtureLane;
      return (lane.onStart ?? [{ op: 'warm', loadSeconds: 2.5, rssBytes: 100 }]).forEach(tell);
    case 'open':
      tell({ op: 'opened', queue: message.queue, rssBytes: 110 });
      lane.onOpen?.forEach(tell);
      if (lane.end !== undefined) setTimeout(() => end(lane.end!), 50);
      return;
    case 'close':
      return tell({ op: 'closed', rssBytes: 120 });
    case 'stop':
      tell({ op: 'closed', rssBytes: 120 });
      return process.disconnect();
    case 'ping':
      return tell({ op: 'pong' });
  }
}

function end(how: number | 'SIGABRT'): void {
  if (typeof how === 'number') process.exit(how);
  process.kill(process.pid, how);
}

process.on('message', handle);
