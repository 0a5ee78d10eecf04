import type { LaneUp } from '../contract/leases.js';
import type { LaneView } from '../contract/progress.js';
import type { EmbedBatchOutput } from '../contract/run.js';

/** A batch on its way through a lane. */
export interface RunningBatch {
  result: Promise<EmbedBatchOutput>;
  /** Gives up on it, so that it may run elsewhere. */
  cancel(): void;
}

/** What a failed batch activity means for the batch and its lane. */
export type Verdict = 'lane-lost' | 'batch-failed' | 'cancelled';

/** The scheduler's hands and eyes. */
export interface LaneSchedulerDeps {
  run(lane: LaneUp, batch: number): RunningBatch;
  diagnose(error: unknown): Verdict;
  onChange(): void;
}

interface Lane {
  up: LaneUp;
  running: Map<number, RunningBatch>;
  done: number;
}

/**
 * Puts file batches on lanes: a shared backlog that every lane draws from, so that a fast lane takes more (stealing by
 * construction) and a batch never waits behind a slow or dead lane. Lanes come and go at any time. A plain class
 * without Temporal in it; all events are promises of its `run`.
 */
export class LaneScheduler {
  private readonly lanes = new Map<string, Lane>();
  private readonly backlog: number[];
  private readonly failures = new Map<number, unknown>();
  private unfinished: number;
  readonly totals = { embedded: 0, frames: 0, tokens: 0, modelLoads: 0 };

  constructor(
    batches: readonly number[],
    private readonly batchesPerLane: number,
    private readonly deps: LaneSchedulerDeps,
  ) {
    this.backlog = [...batches];
    this.unfinished = batches.length;
  }

  /** Batches that are neither finished nor failed. */
  get open(): number {
    return this.unfinished;
  }

  /** Failed batches and why. */
  get failed(): ReadonlyMap<number, unknown> {
    return this.failures;
  }

  /** A lane serves from now on. Coming up again under the same lease replaces what was there. */
  laneUp(up: LaneUp): void {
    this.laneDown(up.lease);
    this.lanes.set(up.lease, { up, running: new Map(), done: 0 });
    this.deal();
  }

  /** A lane is gone: what ran on it goes back to the front of the backlog. Unknown lanes are ignored. */
  laneDown(lease: string): void {
    const lane = this.lanes.get(lease);
    if (lane === undefined) return;
    this.lanes.delete(lease);
    this.backlog.unshift(...lane.running.keys());
    for (const batch of lane.running.values()) batch.cancel();
    this.deal();
  }

  /** Failed batches become open ones again. */
  retryFailed(): void {
    this.backlog.push(...this.failures.keys());
    this.unfinished += this.failures.size;
    this.failures.clear();
    this.deal();
  }

  /** The lanes that serve now. */
  views(): LaneView[] {
    return [...this.lanes.values()].map(({ up, running, done }) => ({
      lease: up.lease,
      host: up.host,
      device: up.device,
      pid: up.pid,
      state: 'up',
      running: running.size,
      done,
    }));
  }

  private deal(): void {
    // Round by round, so that few batches spread over the lanes instead of queueing two deep on the first.
    for (let depth = 1; depth <= this.batchesPerLane; depth++) {
      for (const lane of this.lanes.values()) {
        if (lane.running.size < depth && this.backlog.length > 0) this.start(lane, this.backlog.shift()!);
      }
    }
    this.deps.onChange();
  }

  private start(lane: Lane, batch: number): void {
    const running = this.deps.run(lane.up, batch);
    lane.running.set(batch, running);
    running.result.then(
      (output) => this.finished(lane, batch, running, output),
      (error) => this.broke(lane, batch, running, error),
    );
  }

  private finished(lane: Lane, batch: number, running: RunningBatch, output: EmbedBatchOutput): void {
    if (!this.settle(lane, batch, running)) return;
    lane.done += 1;
    this.unfinished -= 1;
    this.totals.embedded += 1;
    this.totals.frames += output.frames;
    this.totals.tokens += output.tokens;
    this.totals.modelLoads += output.modelLoads;
    this.deal();
  }

  private broke(lane: Lane, batch: number, running: RunningBatch, error: unknown): void {
    if (!this.settle(lane, batch, running)) return;
    switch (this.deps.diagnose(error)) {
      case 'cancelled':
        this.backlog.unshift(batch);
        return;
      case 'lane-lost':
        this.backlog.unshift(batch);
        this.laneDown(lane.up.lease);
        return;
      case 'batch-failed':
        this.failures.set(batch, error);
        this.unfinished -= 1;
        this.deal();
    }
  }

  /** False when the lane was dropped meanwhile: its batch already runs elsewhere. */
  private settle(lane: Lane, batch: number, running: RunningBatch): boolean {
    if (this.lanes.get(lane.up.lease) !== lane || lane.running.get(batch) !== running) return false;
    lane.running.delete(batch);
    return true;
  }
}
