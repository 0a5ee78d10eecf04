/**
 * A lane: one process, one device, one stage, one loaded model. Started by a host agent (lane-handle.ts) with its
 * device pinned in the environment; serves one queue after another while the model stays. Temporal runs on this
 * thread, the model on others (inference/segmented-session.ts). It ends when its agent goes away.
 */
import process from 'node:process';
import { Worker } from '@temporalio/worker';
import { createLaneActivities } from '../activities/lane-activities.js';
import { prefixed } from '../contract/activity-names.js';
import { BATCHES_PER_LANE, COLLECT_GARBAGE_MS, HEARTBEAT_THROTTLE_MS } from '../contract/defaults.js';
import { VirnucproError } from '../contract/failures.js';
import { Embedder } from '../inference/embedder.js';
import { cacheFolderPath } from '../io/user-folders.js';
import { type WorkerConnection, connectLane } from './connection.js';
import { LaneModel } from './lane-model.js';
import type { FromLane, ToLane } from './lane-protocol.js';
import { createLog, installRuntime } from './log.js';

const title = process.argv[2] ?? 'virnucpro-lane';
process.title = title;
const log = createLog({ role: 'lane', lane: title });
installRuntime(log);

// A terminal's Ctrl-C reaches the whole process group; the agent decides about a lane. SIGTERM (a spot notice) drains.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => void handle({ op: 'stop' }));
// A session thread may be inside the runtime, where process.exit() would abort with a core dump.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// It may have gone while this process was loading its code: then the event is past.
if (!process.connected) process.kill(process.pid, 'SIGKILL');

// Left alone, V8 lets what finished batches leave behind pile up to hundreds of megabytes before it looks; the host's
// other lanes want that memory.
setInterval(() => globalThis.gc?.(), COLLECT_GARBAGE_MS).unref();

let connection: WorkerConnection | undefined;
let model: LaneModel | undefined;
let loading = false;
let serving: Promise<{ worker: Worker; ended: Promise<void> }> | undefined;

function tell(message: FromLane): void {
  if (process.connected) process.send!(message, () => {});
}

async function start(message: ToLane & { op: 'start' }): Promise<void> {
  const open = (tokensPerCall = message.tokensPerCall): Promise<Embedder> =>
    Embedder.open({
      model: message.model.path,
      precision: message.model.precision,
      device: message.device,
      threads: message.threads,
      cacheDir: cacheFolderPath(),
      spinning: false,
      ...(tokensPerCall && { tokensPerCall }),
    });
  model = new LaneModel(open, message.persistent, (error) => tell({ op: 'sick', message: error.message }));
  loading = true;
  const [loadSeconds, connected] = await Promise.all([model.start(), connectLane(log)]).finally(
    () => (loading = false),
  );
  connection = connected;
  tell({ op: 'warm', loadSeconds, rssBytes: process.memoryUsage().rss });
}

async function open(queue: string): Promise<void> {
  serving = serve(queue);
  await serving;
  tell({ op: 'opened', queue, rssBytes: process.memoryUsage().rss });
}

async function serve(queue: string): Promise<{ worker: Worker; ended: Promise<void> }> {
  const activities = createLaneActivities({
    lane: {
      use: (signal, work) => model!.use(signal, work),
      running: (batch) => tell({ op: 'running', ...(batch === undefined ? {} : { batch }) }),
      stalled: () => tell({ op: 'stalled' }),
      finished: (batch) => tell({ op: 'finished', batch }),
    },
    onPark: () => tell({ op: 'parked' }),
  });
  const worker = await Worker.create({
    ...connection!,
    taskQueue: queue,
    identity: `${queue}#${process.pid}`,
    activities: prefixed(activities),
    // One batch computes, one is ready, and the release must get through beside them.
    maxConcurrentActivityTaskExecutions: BATCHES_PER_LANE + 1,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    shutdownGraceTime: 0,
  });
  const ended = worker.run().catch((error: unknown) => {
    log.error({ error: String(error) }, 'lane worker broke');
    process.exitCode = 1;
    process.disconnect();
  });
  return { worker, ended };
}

async function close(): Promise<void> {
  // A stop may come while an open or a close is under way: it waits for the one, and both for the same end.
  const closing = await serving?.catch(() => undefined);
  if (closing?.worker.getState() === 'RUNNING') closing.worker.shutdown();
  await closing?.ended;
  serving = undefined;
  tell({ op: 'closed', rssBytes: process.memoryUsage().rss });
}

let stopping: Promise<void> | undefined;

/** The agent's word and a SIGTERM to the whole group may both ask for it. */
function stop(): Promise<void> {
  // There is nothing to drain, and a load can take minutes.
  if (loading) process.kill(process.pid, 'SIGKILL');
  return (stopping ??= drain());
}

async function drain(): Promise<void> {
  await close();
  await model?.close();
  await connection?.connection.close();
  process.removeAllListeners('disconnect');
  process.disconnect();
}

async function handle(message: ToLane): Promise<void> {
  switch (message.op) {
    case 'start':
      return start(message);
    case 'open':
      return open(message.queue);
    case 'close':
      return close();
    case 'stop':
      return stop();
    case 'ping':
      return tell({ op: 'pong' });
  }
}

process.on('message', (message: ToLane) => {
  handle(message).catch((error: unknown) => {
    const type = error instanceof VirnucproError ? error.name : 'LaneLost';
    log.error({ op: message.op, type, error: error instanceof Error ? error.stack : String(error) }, 'lane failed');
    tell({ op: 'failed', type, message: error instanceof Error ? error.message : String(error) });
  });
});
