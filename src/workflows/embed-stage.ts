import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { LaneActivities, LeaseActivities } from '../activities/index.js';
import { type Prefixed, unprefixed } from '../contract/activity-names.js';
import {
  BATCHES_PER_LANE,
  FAILED_BATCH_RETRIES,
  LEASE_FAILURES,
  LONG_ACTIVITY,
  OFFER_RETRY_MS,
  SLICE_REPORTS,
} from '../contract/defaults.js';
import type { SliceCommand } from '../contract/commands.js';
import type { LaneUp } from '../contract/leases.js';
import type { StageProgress } from '../contract/progress.js';
import { leaseQueue } from '../contract/queues.js';
import type { EmbedStageInput, EmbedStageResult, PendingBatch } from '../contract/run.js';
import { BatchLedger, type Task } from './batch-ledger.js';
import { cpuActivities } from './cpu-activities.js';
import {
  failureMessage,
  failureReport,
  laneTimeout,
  isArtifactInvalid,
  isFatal,
  isHostGone,
  isLaneLost,
  isShutdown,
  isRetired,
} from './failures.js';
import { LaneLog } from './lane-log.js';
import { LaneScheduler, type RunningTask, type Verdict } from './lane-scheduler.js';
import { type HeldLease, LeaseKeeper, type LeaseKeeperDeps } from './lease-keeper.js';
import { laneDeclined, laneDown, laneTaken, laneUp, sliceCommand, sliceReport, stageProgress } from './messages.js';
import { stageDetails } from './progress-details.js';

/**
 * Embeds one slice of a stage's file batches on leased lanes.
 *
 * It finds the batches that have no finished artifact, keeps one lease offer open until it has its lanes, and lets
 * them draw from one backlog. However it ends, its `finally` tries failed batches again (unless it was cancelled) and
 * gives every lane back. Batches that still fail then are listed in the result; the others are delivered.
 */
export async function embedStage(input: EmbedStageInput): Promise<EmbedStageResult> {
  const slice = new Slice(input);
  return slice.run();
}

class Slice {
  private ledger = new BatchLedger([]);
  private scheduler = this.newScheduler();
  private readonly leases: LeaseKeeper;
  private reused = 0;
  private maxLanes: number;
  private paused: boolean;
  private fatal: unknown;
  private closing = false;
  private changed = true;
  private readonly lanes = new LaneLog();

  constructor(private readonly input: EmbedStageInput) {
    this.maxLanes = input.lanes.lanes;
    this.paused = input.paused ?? false;
    this.leases = this.newKeeper();
    setHandler(laneDeclined, (signal) => {
      this.leases.declined(signal);
      this.update();
    });
    setHandler(laneTaken, (signal) => {
      this.leases.taken(signal);
      this.update();
    });
    setHandler(laneUp, (signal) => this.leases.up(signal));
    setHandler(laneDown, (signal) => {
      log.warn('lane down', { ...signal });
      this.leases.down(signal);
    });
    setHandler(sliceCommand, (command) => this.obey(command));
    setHandler(stageProgress, () => this.progress());
  }

  async run(): Promise<EmbedStageResult> {
    const { from, to, lanes } = this.input;
    const startedAt = Date.now();
    const pending = await this.findUnfinished();
    this.reused = to - from - pending.length;
    this.ledger = new BatchLedger(pending);
    this.scheduler = this.newScheduler();

    const reports = new CancellationScope();
    const reporting = reports.run(() => this.report());
    const isCancelled = (): boolean => CancellationScope.current().consideredCancelled;
    try {
      await this.settled();
    } finally {
      try {
        if (!isCancelled() && this.fatal === undefined) await this.retryFailedBatches();
      } finally {
        const park = !isCancelled() && this.fatal === undefined && lanes.keepWarmSeconds > 0;
        await CancellationScope.nonCancellable(async () => {
          this.closing = true;
          this.leases.close();
          await this.leases.releaseAll(park);
          reports.cancel();
          await reporting;
        });
      }
    }
    if (this.fatal !== undefined) throw this.fatal;
    const { modelLoads, ...totals } = this.ledger.totals;
    return {
      ...totals,
      reused: this.reused,
      modelLoads: modelLoads + this.leases.modelLoads,
      lanes: this.lanes.records(),
      failed: [...this.ledger.failed].map(([index, error]) => ({ index, failure: failureReport(error) })),
      startedAt,
      seconds: (Date.now() - startedAt) / 1000,
    };
  }

  private async findUnfinished(): Promise<PendingBatch[]> {
    const { manifest, from, to, stage, model, store, lanes } = this.input;
    const cpu = cpuActivities(lanes, `${stage}: which of batches ${from + 1}-${to} are finished`);
    return cpu.findUnfinished({ manifest, from, to, stage, model, store });
  }

  /** Until no batch is open, with the offers that this takes. */
  private async settled(): Promise<void> {
    const { laneTimeoutSeconds } = this.input.lanes;
    const isOver = (): boolean => this.fatal !== undefined || this.ledger.open === 0;
    this.update();
    while (laneTimeoutSeconds !== undefined && !isOver()) {
      await condition(() => isOver() || this.isWaiting());
      if (isOver() || (await condition(() => isOver() || !this.isWaiting(), laneTimeoutSeconds * 1000))) continue;
      this.fatal ??= laneTimeout(laneTimeoutSeconds, this.waitingFor()!);
    }
    await condition(isOver);
  }

  private async retryFailedBatches(): Promise<void> {
    for (let round = 1; round <= FAILED_BATCH_RETRIES && this.ledger.failed.size > 0; round++) {
      log.warn('trying failed batches again', { round, batches: this.ledger.failed.size });
      this.retryFailed();
      await this.settled();
      if (this.fatal !== undefined) return;
    }
  }

  private retryFailed(): void {
    if (this.closing) return;
    this.ledger.retryFailed();
    this.scheduler.deal();
  }

  /** What a person asked the campaign for. */
  private obey(command: SliceCommand): void {
    switch (command.op) {
      case 'pause':
        this.paused = true;
        this.leases.reduceTo(0);
        break;
      case 'resume':
        this.paused = false;
        break;
      case 'retryFailed':
        this.retryFailed();
        break;
      case 'drainLane':
        this.leases.drain(command.lane);
        break;
      case 'readmit':
        this.leases.readmit();
        break;
      case 'setMaxLanes':
        this.maxLanes = command.lanes;
        this.leases.reduceTo(command.lanes);
    }
    this.update();
  }

  private newKeeper(): LeaseKeeper {
    const deps: LeaseKeeperDeps = {
      hold: (lease, avoid) => this.hold(lease, avoid),
      park: (lane) => this.park(lane),
      ping: (lane) => this.ping(lane),
      diagnose: (error) =>
        isFatal(error) ? 'fatal' : isHostGone(error) ? 'gone' : isRetired(error) ? 'retired' : 'broken',
      explain: failureMessage,
      onUp: (lane) => {
        this.lanes.up(lane, Date.now());
        this.scheduler.laneUp(lane);
      },
      onEnding: (leases) => {
        for (const lease of leases) this.lanes.ended(lease, Date.now());
        this.scheduler.lanesEnd(leases);
      },
      onGone: (lease, charged) => {
        this.lanes.lost(lease, Date.now());
        this.scheduler.laneDown(lease, charged);
        this.update();
      },
      onFatal: (error) => {
        this.fatal ??= error;
      },
    };
    return new LeaseKeeper(() => uuid4().slice(0, 8), LEASE_FAILURES, deps, this.input.avoid);
  }

  private newScheduler(): LaneScheduler {
    return new LaneScheduler(this.ledger, BATCHES_PER_LANE, {
      run: (lane, task) => this.embed(lane, task),
      diagnose: (error) => this.diagnose(error),
      onSilent: (lease) => void this.leases.probe(lease),
      onChange: () => this.update(),
    });
  }

  private diagnose(error: unknown): Verdict {
    if (isCancellation(error)) return 'cancelled';
    if (isShutdown(error)) return 'lane-drains';
    if (isLaneLost(error)) return 'lane-lost';
    // No lane can help: the run fails, or the wave makes the artifact again.
    if (isFatal(error) || isArtifactInvalid(error)) this.fatal ??= error;
    return 'batch-failed';
  }

  private embed(lane: LaneUp, { batch, rows, quarantined }: Task): RunningTask {
    const { stage, model, manifest, store, lanes } = this.input;
    const activities = unprefixed<LaneActivities>(
      proxyActivities<Prefixed<LaneActivities>>({
        taskQueue: lane.queue,
        startToCloseTimeout: LONG_ACTIVITY,
        heartbeatTimeout: lanes.heartbeatMs,
        retry: { maximumAttempts: 1 },
        cancellationType: ActivityCancellationType.TRY_CANCEL,
        summary: `${stage} batch ${batch + 1}${rows ? ` rows ${rows.from}-${rows.to}` : ''} on ${lane.host}/${lane.device}`,
      }),
    );
    const scope = new CancellationScope();
    const result = scope.run(async () => {
      const output = await activities.embedBatch({
        stage,
        model,
        manifest,
        index: batch,
        store,
        ...(rows === undefined ? {} : { rows }),
        quarantined: [...quarantined],
        partMs: lanes.partMs,
        stalledMs: lanes.stalledMs,
      });
      this.leases.progressed();
      this.lanes.finished(lane, output);
      return output;
    });
    return { result, cancel: () => scope.cancel() };
  }

  private hold(lease: string, avoid: string[]): HeldLease {
    const { stage, model, lanes, tokensPerCall } = this.input;
    const activities = unprefixed<LeaseActivities>(
      proxyActivities<Prefixed<LeaseActivities>>({
        taskQueue: leaseQueue(lanes.device),
        startToCloseTimeout: LONG_ACTIVITY,
        heartbeatTimeout: lanes.heartbeatMs,
        cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        // With the default retry the server gives a dead agent's lease to another and this workflow hears nothing.
        retry: {
          initialInterval: OFFER_RETRY_MS,
          backoffCoefficient: 1,
          nonRetryableErrorTypes: ['TemporalTimeout:Heartbeat', 'WorkerShutdown'],
        },
        summary: `${stage} lane ${lease}`,
        priority: { priorityKey: lanes.priority },
      }),
    );
    const { device, persistent, keepWarmSeconds, heartbeatMs } = lanes;
    const campaign = this.input.reportTo?.workflowId ?? workflowInfo().workflowId;
    const terms = { device, persistent, keepWarmSeconds, heartbeatMs, ...(tokensPerCall && { tokensPerCall }) };
    const offer = { lease, campaign, stage, model, ...terms, avoid };
    const scope = new CancellationScope();
    const end = scope.run(() => activities.holdLane(offer));
    return { end, cancel: () => scope.cancel() };
  }

  private async park(lane: LaneUp): Promise<void> {
    const { heartbeatMs } = this.input.lanes;
    const activities = unprefixed<LaneActivities>(
      proxyActivities<Prefixed<LaneActivities>>({
        taskQueue: lane.queue,
        scheduleToCloseTimeout: heartbeatMs,
        retry: { maximumAttempts: 1 },
        summary: `release ${lane.host}/${lane.device}, stay warm`,
      }),
    );
    await activities.parkLane();
  }

  private async ping(lane: LaneUp): Promise<'answers' | 'silent' | 'cancelled'> {
    const activities = unprefixed<LaneActivities>(
      proxyActivities<Prefixed<LaneActivities>>({
        taskQueue: lane.queue,
        scheduleToCloseTimeout: this.input.lanes.heartbeatMs,
        retry: { maximumAttempts: 1 },
        summary: `does ${lane.host}/${lane.device} answer`,
      }),
    );
    try {
      await activities.pingLane();
      return 'answers';
    } catch (error) {
      return isCancellation(error) ? 'cancelled' : 'silent';
    }
  }

  /** After every event: ask for lanes as far as there is work for them, and let people see. */
  private update(): void {
    this.changed = true;
    this.leases.want(this.paused || this.fatal !== undefined ? 0 : Math.min(this.maxLanes, this.ledger.open));
    setCurrentDetails(stageDetails(this.input.stage, this.progress()));
  }

  private progress(): StageProgress {
    const { totals, failed } = this.ledger;
    const waitingFor = this.waitingFor();
    return {
      batches: this.input.to - this.input.from,
      done: this.reused + totals.embedded,
      failed: failed.size,
      frames: totals.frames,
      tokens: totals.tokens,
      modelLoads: totals.modelLoads + this.leases.modelLoads,
      lanes: [...this.scheduler.views(), ...this.leases.views()].map((lane) => {
        const framesPerSecond = this.lanes.framesPerSecond(lane);
        return { ...lane, ...(framesPerSecond === undefined ? {} : { framesPerSecond }), ...this.lanes.figures(lane) };
      }),
      ...(this.paused ? { paused: true } : {}),
      ...(waitingFor === undefined ? {} : { waitingFor }),
    };
  }

  /** There is work, and no lane for it or on its way. */
  private isWaiting(): boolean {
    return this.isOffering && this.scheduler.views().length === 0 && !this.leases.preparing;
  }

  private get isOffering(): boolean {
    return this.ledger.open > 0 && !this.paused && this.leases.offering;
  }

  /** What the open offer waits for, when the run has no lane at all or something stands in the way of more. */
  private waitingFor(): string | undefined {
    const { device } = this.input.lanes;
    const { obstacles } = this.leases;
    const isFirst = this.isWaiting();
    if (!this.isOffering || (!isFirst && obstacles.length === 0)) return undefined;
    const what = `${isFirst ? 'a free' : 'another'} ${device} lane (queue ${leaseQueue(device)})`;
    return [what, ...obstacles].join('; ');
  }

  /** Tells the campaign when lanes changed or another part of the batches is done: bounded by SLICE_REPORTS. */
  private async report(): Promise<void> {
    const { reportTo, stage } = this.input;
    if (reportTo === undefined) return;
    const campaign = getExternalWorkflowHandle(reportTo.workflowId, reportTo.runId);
    const slice = workflowInfo().workflowId;
    // A part of the whole stage's batches, so that a campaign of many slices hears no more than one of few.
    const step = Math.ceil(this.input.manifest.records / SLICE_REPORTS);
    const signature = (): string => {
      const { done, failed, lanes, waitingFor, paused } = this.progress();
      return JSON.stringify([
        Math.floor((done + failed) / step),
        failed > 0,
        lanes.map((l) => [l.lease, l.pid, l.state]),
        waitingFor,
        paused,
      ]);
    };
    let sent = '';
    try {
      for (;;) {
        await condition(() => this.changed && signature() !== sent);
        this.changed = false;
        sent = signature();
        await campaign.signal(sliceReport, { slice, stage, progress: this.progress() });
      }
    } catch (error) {
      // The campaign may be gone (terminated): then this slice is being cancelled too.
      if (!isCancellation(error)) log.warn('campaign does not hear progress', { error: failureMessage(error) });
    }
  }
}
