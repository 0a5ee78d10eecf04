import { BATCH_TRIES, CHARGES } from '../contract/defaults.js';
import type { EmbedBatchOutput, PendingBatch, QuarantinedRow, RowRange } from '../contract/run.js';

/** A piece of work for a lane: a file batch, or some rows of one that is being bisected. */
export interface Task {
  /** Manifest line. */
  batch: number;
  /** How often failed batches had been taken up again when it was made: what older tasks still say does not count. */
  round: number;
  rows?: RowRange;
  quarantined: readonly QuarantinedRow[];
  /** The lease that it failed on: another lane should take it, if there is one. */
  avoid?: string;
}

interface BatchRecord {
  frames: number;
  quarantined: QuarantinedRow[];
  /** Rows that one lane refused; a second refusal quarantines them. */
  refusedOnce: Set<number>;
  /** Crashes charged to the whole batch, and to single rows of it. */
  charges: number;
  rowCharges: Map<number, number>;
  /** Ranges that are still open while it is bisected. */
  ranges: number;
  tries: number;
  round: number;
}

/**
 * Knows what is left to do and judges what happened: which batch waits, is done, failed, or is to blame for crashes.
 * A batch under which processes died is bisected until the guilty sequence stands alone and is quarantined; all others
 * are delivered. A plain class without Temporal in it.
 */
export class BatchLedger {
  private readonly backlog: Task[];
  private readonly records: Map<number, BatchRecord>;
  private readonly failures = new Map<number, unknown>();
  private unfinished: number;
  private round = 0;
  readonly totals = { embedded: 0, frames: 0, tokens: 0, modelLoads: 0, quarantined: 0, retries: 0 };

  constructor(batches: readonly PendingBatch[]) {
    this.unfinished = batches.length;
    this.backlog = batches.map(({ index }) => ({ batch: index, round: 0, quarantined: [] }));
    this.records = new Map(batches.map(({ index, frames }) => [index, newRecord(frames)]));
  }

  /** Batches that are neither finished nor failed. */
  get open(): number {
    return this.unfinished;
  }

  /** Failed batches and why. */
  get failed(): ReadonlyMap<number, unknown> {
    return this.failures;
  }

  /** The next task for a lane; one that failed there is kept for others, unless there are none. */
  take(lease: string, isOnlyLane: boolean): Task | undefined {
    const at = isOnlyLane ? 0 : this.backlog.findIndex((task) => task.avoid !== lease);
    return at < 0 ? undefined : this.backlog.splice(at, 1)[0];
  }

  /** The run took it from its lane. */
  giveBack(task: Task): void {
    if (!this.isStale(task)) this.backlog.unshift(task);
  }

  /** The lane is gone and nobody is to blame. */
  lost(task: Task): void {
    if (!this.isStale(task)) this.totals.retries += 1;
    this.giveBack(task);
  }

  finished(task: Task, output: EmbedBatchOutput, lease: string): void {
    this.totals.frames += output.frames;
    this.totals.tokens += output.tokens;
    this.totals.modelLoads += output.modelLoads;
    if (this.isStale(task)) return;
    const record = this.records.get(task.batch)!;
    if (output.refused.length > 0) {
      for (const refusal of output.refused) this.refuse(record, refusal);
      this.totals.retries += 1;
      this.backlog.unshift(this.taskOf(task, { avoid: lease }));
    } else if (task.rows !== undefined) {
      this.rangeDone(task.batch);
    } else {
      this.unfinished -= 1;
      this.totals.embedded += 1;
      this.totals.quarantined += record.quarantined.length;
    }
  }

  /** The process died by itself, hung or ran out of memory while this task ran. */
  charged(task: Task): void {
    if (this.isStale(task)) return;
    this.totals.retries += 1;
    const record = this.records.get(task.batch)!;
    const { from, to } = task.rows ?? { from: 0, to: record.frames };
    if (task.rows === undefined) {
      record.charges += 1;
      if (record.charges < CHARGES.bisect) return this.giveBack(task);
      record.ranges = 1;
    }
    if (to - from > 1) return this.bisect(task.batch, from, to);
    const charges = (record.rowCharges.get(from) ?? 0) + 1;
    record.rowCharges.set(from, charges);
    if (charges < CHARGES.quarantine) return this.giveBack(this.taskOf(task, { rows: { from, to } }));
    record.quarantined.push({ row: from, reason: 'crashes' });
    this.rangeDone(task.batch);
  }

  /** The task failed by an error; tried on another lane, then put aside. */
  broke(task: Task, error: unknown, lease: string): void {
    if (this.isStale(task)) return;
    const record = this.records.get(task.batch)!;
    record.tries += 1;
    if (record.tries < BATCH_TRIES) {
      this.totals.retries += 1;
      this.backlog.push(this.taskOf(task, { avoid: lease }));
      return;
    }
    this.failures.set(task.batch, error);
    this.unfinished -= 1;
    const others = this.backlog.filter(({ batch }) => batch !== task.batch);
    this.backlog.splice(0, this.backlog.length, ...others);
  }

  /** Failed batches become open ones again. */
  retryFailed(): void {
    this.round += 1;
    for (const batch of this.failures.keys()) {
      const record = this.records.get(batch)!;
      record.tries = 0;
      record.ranges = 0;
      record.round = this.round;
      this.backlog.push({ batch, round: this.round, quarantined: record.quarantined });
    }
    this.unfinished += this.failures.size;
    this.totals.retries += this.failures.size;
    this.failures.clear();
  }

  private refuse(record: BatchRecord, refusal: QuarantinedRow): void {
    if (record.refusedOnce.has(refusal.row)) record.quarantined.push(refusal);
    else record.refusedOnce.add(refusal.row);
  }

  private bisect(batch: number, from: number, to: number): void {
    const middle = (from + to) >> 1;
    const record = this.records.get(batch)!;
    const { quarantined, round } = record;
    record.ranges += 1;
    this.backlog.unshift(
      { batch, round, rows: { from, to: middle }, quarantined },
      { batch, round, rows: { from: middle, to }, quarantined },
    );
  }

  /** With its last range the batch is whole: one more task finds all parts and publishes them. */
  private rangeDone(batch: number): void {
    const record = this.records.get(batch)!;
    record.ranges -= 1;
    if (record.ranges > 0) return;
    this.backlog.unshift({ batch, round: record.round, quarantined: record.quarantined });
  }

  private isStale({ batch, round }: Task): boolean {
    return this.failures.has(batch) || round !== this.records.get(batch)!.round;
  }

  private taskOf(task: Task, changes: Partial<Task>): Task {
    return { ...task, quarantined: this.records.get(task.batch)!.quarantined, ...changes };
  }
}

function newRecord(frames: number): BatchRecord {
  return {
    frames,
    quarantined: [],
    refusedOnce: new Set(),
    charges: 0,
    rowCharges: new Map(),
    ranges: 0,
    tries: 0,
    round: 0,
  };
}
