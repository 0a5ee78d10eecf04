import type { BatchFigures } from '../activities/embed-batch.js';
import type { DeviceKind } from '../contract/devices.js';
import type { RunningBatch } from '../contract/leases.js';
import type { ModelRef } from '../contract/models.js';

/** What an agent tells its lane process over IPC. */
export type ToLane =
  | {
      op: 'start';
      model: ModelRef;
      device: DeviceKind;
      threads: number;
      persistent: boolean;
      tokensPerCall?: number;
    }
  /** Serve this queue. */
  | { op: 'open'; queue: string }
  /** Stop serving, finish or hand back what runs; the model stays. */
  | { op: 'close' }
  /** Close, then end the process. */
  | { op: 'stop' }
  | { op: 'ping' };

/** What a lane process tells its agent. */
export type FromLane =
  | { op: 'warm'; loadSeconds: number; rssBytes: number }
  | { op: 'opened'; queue: string; rssBytes: number }
  | { op: 'closed'; rssBytes: number }
  /** What runs from now on; nothing when it is over. */
  | { op: 'running'; batch?: RunningBatch }
  /** What a batch gave; its figures go into the host's metrics. */
  | { op: 'finished'; batch: BatchFigures }
  /** A model call does not return. */
  | { op: 'stalled' }
  /** The device failed its self-test. */
  | { op: 'sick'; message: string }
  /** The stage run gives the lane back and wants it kept warm. */
  | { op: 'parked' }
  /** The model cannot be loaded, ever; `type` is a class name of contract/failures.ts. */
  | { op: 'failed'; type: string; message: string }
  | { op: 'pong' };
