import type { DeviceKind } from './devices.js';
import type { ModelRef } from './models.js';
import type { RowRange } from './run.js';
import type { Stage } from './stages.js';

/** What a stage run asks a host for: one lane, held until the run releases it. Argument of the `holdLane` activity. */
export interface LaneOffer {
  /** Unique name of this lease. */
  lease: string;
  /** Workflow id of the campaign. When that is cancelled, terminated or timed out, its warm lanes end, too. */
  campaign: string;
  stage: Stage;
  model: ModelRef;
  device: DeviceKind;
  /** Tokens of one model call, padding included. Default: calls of up to about a second. */
  tokensPerCall?: number;
  /** Load once and keep (true), or load and drop for every file batch (false). */
  persistent: boolean;
  /** How long the lane's process stays loaded after a release, in seconds. */
  keepWarmSeconds: number;
  /** The lease activity and the lane heartbeat at least this often, in milliseconds. */
  heartbeatMs: number;
  /** Lanes (`host/device`) that the run was told to give up: any but these. */
  avoid: string[];
}

/** Signal: a host cannot serve the offer now. It goes on to other hosts, and comes back every second. */
export interface LaneDeclined {
  lease: string;
  host: string;
  reason: string;
}

/** Signal: a host accepted the offer and prepares the device; the next offer may open. */
export interface LaneTaken {
  lease: string;
  host: string;
  device: string;
}

/** Signal: the lane's model is loaded and its queue is polled. */
export interface LaneUp extends LaneTaken {
  queue: string;
  pid: number;
  /** Seconds the model took to load; 0 when the process was still warm. */
  loadSeconds: number;
}

/** What a lane's process works on: a manifest line, or some rows of that batch. */
export interface RunningBatch {
  index: number;
  rows?: RowRange;
}

/** Signal: the lane's process is gone; its batches go elsewhere. It may come up again under the same lease. */
export interface LaneDown {
  lease: string;
  queue: string;
  pid: number;
  reason: string;
  /** What was running when the process died by itself, hung or ran out of memory. */
  charged?: RunningBatch;
}

/** Names of the signals that agents send to a stage run. */
export const LEASE_SIGNALS = {
  declined: 'laneDeclined',
  taken: 'laneTaken',
  up: 'laneUp',
  down: 'laneDown',
} as const;
