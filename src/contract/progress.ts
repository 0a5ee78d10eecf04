import type { Stage } from './stages.js';

/** What a lane says of itself with each batch. */
export interface LaneFigures {
  /** The most memory that its process has had, in bytes. */
  peakBytes: number;
  /** Tokens of one model call, padding included. */
  tokensPerCall: number;
  /** What that was before a call did not fit the memory. */
  reducedFrom?: number;
}

/** One lane as a stage run sees it; figures from its first batch on. */
export interface LaneView extends Partial<LaneFigures> {
  lease: string;
  host: string;
  device: string;
  pid: number;
  state: 'starting' | 'up' | 'down';
  /** Batches in flight on it. */
  running: number;
  /** Batches it has finished. */
  done: number;
  /** While its model computes; undefined before its first batch. */
  framesPerSecond?: number;
}

/** Coarse state of one stage, or of one slice of it. */
export interface StageProgress {
  batches: number;
  done: number;
  failed: number;
  frames: number;
  tokens: number;
  modelLoads: number;
  lanes: LaneView[];
  /** Seconds in which lanes were at work until `reportedAt` (epoch milliseconds); a campaign knows, a slice does not. */
  busySeconds?: number;
  reportedAt?: number;
  paused?: boolean;
  /** What the run waits for, e.g. `a free cpu lane`, or `another` one with what stands in its way. */
  waitingFor?: string;
}

/** Signal from a slice to its campaign. */
export interface SliceReport {
  slice: string;
  stage: Stage;
  progress: StageProgress;
}

/** Name of the signal that carries a {@link SliceReport}. */
export const SLICE_REPORT_SIGNAL = 'sliceReport';

/** Answer of the query `progress`. */
export interface CampaignProgress {
  state: 'inspecting' | 'splitting' | 'embedding' | 'classifying' | 'done';
  /** A person paused the run: it asks for no lanes. */
  paused?: boolean;
  samples: { total: number; split: number; done: number; failed: number };
  frames: number;
  stages: Record<Stage, StageProgress>;
  /** What people should know though the run goes on: a sentence each. */
  warnings: string[];
}

/** Name of the query that answers a {@link CampaignProgress}. */
export const PROGRESS_QUERY = 'progress';

/** Heartbeat state of an activity that has its results and cannot write them now: the disk is full, the store away. */
export const WAITING_FOR_STORAGE = 'waiting for storage';
