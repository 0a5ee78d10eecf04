import type { LaneUp, RunningBatch } from '../contract/leases.js';
import type { LaneView } from '../contract/progress.js';
import type { EmbedBatchOutput } from '../contract/run.js';
import type { BatchLedger, Task } from './batch-ledger.js';

/** A task on its way through a lane. */
export interface RunningTask {
  result: Promise<EmbedBatchOutput>;
  /** Gives up on it, so that it may run elsewhere. */
  cancel(): void;
}

/** What a failed batch activity means for the batch and its lane; `lane-drains`: it hands its batches back, each by itself. */
export type Verdict = 'lane-lost' | 'lane-drains' | 'batch-failed' | 'cancelled';

/** The scheduler's hands and eyes. */
export interface LaneSchedulerDeps {
  run(lane: LaneUp, task: Task): RunningTask;
  diagnose(error: unknown): Verdict;
  /** A task went silent on a lane that nobody has declared dead. */
  onSilent(lease: string): void;
  onChange(): void;
}

interface Lane {
  up: LaneUp;
  running: Map<Task, RunningTask>;
  done: number;
  /** It gets nothing more, and brings to an end or hands back what it has. */
  draining: boolean;
}

/**
 * Puts tasks on lanes: a shared backlog that every lane draws from, so that a fast lane takes more (stealing by
 * construction) and a batch never waits behind a slow or dead lane. Lanes come and go at any time. A plain class
 * without Temporal in it; all events are promises of its `run`.
 */
export class LaneScheduler {
  private readonly lanes = new Map<string, Lane>();

  constructor(
    private readonly ledger: BatchLedger,
    private readonly tasksPerLane: number,
    private readonly deps: LaneSchedulerDeps,
  ) {}

  /** A lane serves from now on. Coming up again under the same lease replaces what was there. */
  laneUp(up: LaneUp): void {
    this.laneDown(up.lease);
    this.lanes.set(up.lease, { up, running: new Map(), done: 0, draining: false });
    this.deal();
  }

  /**
   * A lane is gone: what was on it goes back to the backlog. Unknown lanes are ignored.
   * @param charged what was running when its process died of it.
   */
  laneDown(lease: string, charged?: RunningBatch): void {
    if (!this.lanes.has(lease)) return;
    this.drop(lease, charged);
    this.deal();
  }

  /** Lanes are told to end: they get nothing more. What they have is theirs until they say so, or are down. */
  lanesEnd(leases: readonly string[]): void {
    for (const lease of leases) {
      const lane = this.lanes.get(lease);
      if (lane !== undefined) lane.draining = true;
    }
    this.deal();
  }

  private drop(lease: string, charged: RunningBatch | undefined): void {
    const lane = this.lanes.get(lease)!;
    this.lanes.delete(lease);
    // Last first: each goes to the front, so that their order stays.
    for (const [task, running] of [...lane.running].reverse()) {
      running.cancel();
      if (charged !== undefined && isSame(task, charged)) this.ledger.charged(task);
      else this.ledger.lost(task);
    }
  }

  private get serving(): Lane[] {
    return [...this.lanes.values()].filter(({ draining }) => !draining);
  }

  /** The lanes that serve now. */
  views(): LaneView[] {
    return this.serving.map(({ up, running, done }) => ({
      lease: up.lease,
      host: up.host,
      device: up.device,
      pid: up.pid,
      state: 'up',
      running: running.size,
      done,
    }));
  }

  /** Gives waiting tasks to lanes with room. */
  deal(): void {
    // Round by round, so that few batches spread over the lanes instead of queueing two deep on the first.
    const lanes = this.serving;
    for (let depth = 1; depth <= this.tasksPerLane; depth++) {
      for (const lane of lanes) {
        if (lane.running.size >= depth) continue;
        const task = this.ledger.take(lane.up.lease, lanes.length === 1);
        if (task !== undefined) this.start(lane, task);
      }
    }
    this.deps.onChange();
  }

  private start(lane: Lane, task: Task): void {
    const running = this.deps.run(lane.up, task);
    lane.running.set(task, running);
    running.result.then(
      (output) => {
        if (!this.settle(lane, task)) return;
        lane.done += 1;
        this.ledger.finished(task, output, lane.up.lease);
        this.deal();
      },
      (error) => {
        if (this.settle(lane, task)) this.broke(lane, task, error);
      },
    );
  }

  private broke(lane: Lane, task: Task, error: unknown): void {
    switch (this.deps.diagnose(error)) {
      case 'cancelled':
        this.ledger.giveBack(task);
        return;
      case 'lane-lost':
        this.laneDown(lane.up.lease);
        this.ledger.lost(task);
        this.deal();
        this.deps.onSilent(lane.up.lease);
        return;
      case 'lane-drains':
        this.ledger.lost(task);
        // Each of its batches says so: once is enough, and not at all when this run ends its lease.
        if (!lane.draining) {
          lane.draining = true;
          this.deps.onSilent(lane.up.lease);
        }
        this.deal();
        return;
      case 'batch-failed':
        this.ledger.broke(task, error, lane.up.lease);
        this.deal();
    }
  }

  /** False when the lane was dropped meanwhile: its task is already somewhere else. */
  private settle(lane: Lane, task: Task): boolean {
    return this.lanes.get(lane.up.lease) === lane && lane.running.delete(task);
  }
}

function isSame(task: Task, { index, rows }: RunningBatch): boolean {
  return task.batch === index && task.rows?.from === rows?.from && task.rows?.to === rows?.to;
}
