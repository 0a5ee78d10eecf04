import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { type Payload, defaultPayloadConverter } from '@temporalio/common';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { PROGRESS_QUERY, type CampaignProgress } from '../../../src/contract/progress.js';
import type { CampaignResult, EmbedBatchInput, EmbedBatchOutput, RunOptions } from '../../../src/contract/run.js';
import { STAGES, type Stage } from '../../../src/contract/stages.js';
import type { predictCampaign } from '../../../src/workflows/index.js';

const POLL_MS = 100;

type HistoryEvent = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

/** One try at one file batch, as the server wrote it down. */
export interface BatchAttempt {
  /** Line of the manifest, from 0. */
  index: number;
  queue: string;
  /** Of the server's clock, in milliseconds. */
  scheduledAt: number;
  endedAt?: number;
  end?: 'completed' | 'failed' | 'timed out' | 'cancelled';
  /** Of a completed one: how many frames it embedded; none when it found the batch published. */
  frames?: number;
  /** Process that took it; known when it ended. */
  pid?: number;
}

/** A batch that a lane has now. */
export interface BatchOnLane {
  index: number;
  queue: string;
  pid: number;
}

/** A campaign under way, seen from outside. Every wait has a limit. */
export class WatchedRun {
  readonly outputDir: string;

  constructor(
    private readonly client: Client,
    readonly handle: WorkflowHandle<typeof predictCampaign>,
    readonly options: RunOptions,
  ) {
    this.outputDir = options.outputDir;
  }

  progress(): Promise<CampaignProgress> {
    return this.handle.query<CampaignProgress>(PROGRESS_QUERY);
  }

  /** Waits until the campaign's progress is such. No answer (server or host away) counts as not yet. */
  async until(holds: (progress: CampaignProgress) => boolean, limitMs: number): Promise<CampaignProgress> {
    return this.poll(holds.toString(), limitMs, async () => {
      const progress = await this.progress();
      return holds(progress) ? progress : undefined;
    });
  }

  /** Waits until `count` lanes serve `stage`, none of them a process of `gone`; gives their processes. */
  async lanePids(stage: Stage, count: number, limitMs: number, gone: number[] = []): Promise<number[]> {
    return this.poll(`${count} lanes of ${stage}`, limitMs, async () => {
      const { lanes } = (await this.progress()).stages[stage];
      const up = lanes.filter(({ state, pid }) => state === 'up' && !gone.includes(pid));
      return up.length === count ? up.map(({ pid }) => pid).sort((a, b) => a - b) : undefined;
    });
  }

  /** Waits until `done` batches of `stage` are done and a lane has another; gives the one it has had for longest. */
  async midBatch(stage: Stage, done: number, limitMs: number): Promise<BatchOnLane> {
    return this.poll(`a batch of ${stage} after ${done}`, limitMs, async () =>
      (await this.progress()).stages[stage].done >= done ? (await this.onLanes(stage))[0] : undefined,
    );
  }

  /** What the lanes of `stage` have in hand now, in the order they were given it. */
  async onLanes(stage: Stage): Promise<BatchOnLane[]> {
    const found: BatchOnLane[] = [];
    for (const slice of await this.slices(stage)) {
      const { raw } = await slice.describe();
      const { events } = await slice.fetchHistory();
      for (const { activityId, attempt } of batchesScheduled(events ?? [])) {
        const pending = raw.pendingActivities?.find((activity) => activity.activityId === activityId);
        if (!pending?.lastStartedTime) continue;
        found.push({ index: attempt.index, queue: attempt.queue, pid: pidOf(pending.lastWorkerIdentity) });
      }
    }
    return found;
  }

  /** Every try at every batch of `stage` so far. */
  async attempts(stage: Stage): Promise<BatchAttempt[]> {
    const histories = await Promise.all((await this.slices(stage)).map((slice) => slice.fetchHistory()));
    return histories.flatMap(({ events }) => attemptsIn(events ?? []));
  }

  /** The batches of `stage` that were embedded: one is named twice when it was embedded twice. */
  async embedded(stage: Stage): Promise<number[]> {
    const attempts = await this.attempts(stage);
    return attempts.flatMap(({ index, frames = 0 }) => (frames > 0 ? [index] : [])).sort((a, b) => a - b);
  }

  /** The stage runs of `stage`, in the order they were started. */
  async slices(stage: Stage): Promise<WorkflowHandle[]> {
    const { events } = await this.handle.fetchHistory();
    return (events ?? [])
      .map((event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? '')
      .filter((id) => id.includes(`/${stage}/`))
      .map((id) => this.client.workflow.getHandle(id));
  }

  /** False when the run has ended. A server that does not answer has not ended it. */
  async isOpen(): Promise<boolean> {
    const described = await this.handle.describe().catch(() => undefined);
    return described === undefined || described.status.name === 'RUNNING';
  }

  /** Models loaded so far, of both stages. */
  async modelLoads(): Promise<number> {
    const { stages } = await this.progress();
    return STAGES.reduce((sum, stage) => sum + stages[stage].modelLoads, 0);
  }

  /** The run's result, which must come within `limitMs`. */
  async result(limitMs: number): Promise<CampaignResult> {
    const late = new AbortController();
    const limit = sleep(limitMs, undefined, { signal: late.signal }).then(async () => {
      throw new Error(`not done after ${limitMs} ms: ${JSON.stringify(await this.progress())}`);
    });
    const result = this.handle.result();
    for (const promise of [limit, result]) promise.catch(() => {});
    try {
      return await Promise.race([result, limit]);
    } finally {
      late.abort();
    }
  }

  private async poll<T>(what: string, limitMs: number, look: () => Promise<T | undefined>): Promise<T> {
    for (const startedAt = Date.now(); Date.now() - startedAt < limitMs; await sleep(POLL_MS)) {
      const found = await look().catch(() => undefined);
      if (found !== undefined) return found;
    }
    const { status } = await this.handle.describe();
    throw new Error(`${what}: still not so after ${limitMs} ms; the run is ${status.name}`);
  }
}

function batchesScheduled(events: HistoryEvent[]): { eventId: number; activityId: string; attempt: BatchAttempt }[] {
  return events.flatMap(({ eventId, eventTime, activityTaskScheduledEventAttributes: scheduled }) => {
    if (scheduled?.activityType?.name !== 'virnucpro.embedBatch') return [];
    const { index } = decode<EmbedBatchInput>(scheduled.input!.payloads![0]!);
    const attempt = { index, queue: scheduled.taskQueue!.name!, scheduledAt: tsToMs(eventTime) };
    return [{ eventId: Number(eventId), activityId: scheduled.activityId!, attempt }];
  });
}

function attemptsIn(events: HistoryEvent[]): BatchAttempt[] {
  const attempts = new Map<number, BatchAttempt>();
  for (const { eventId, attempt } of batchesScheduled(events)) attempts.set(eventId, attempt);
  for (const event of events) {
    const started = event.activityTaskStartedEventAttributes;
    if (started) {
      const attempt = attempts.get(Number(started.scheduledEventId));
      if (attempt) attempt.pid = pidOf(started.identity);
    }
    for (const [end, attributes] of [
      ['completed', event.activityTaskCompletedEventAttributes],
      ['failed', event.activityTaskFailedEventAttributes],
      ['timed out', event.activityTaskTimedOutEventAttributes],
      ['cancelled', event.activityTaskCanceledEventAttributes],
    ] as const) {
      const attempt = attributes && attempts.get(Number(attributes.scheduledEventId));
      if (attempt) Object.assign(attempt, { end, endedAt: tsToMs(event.eventTime) });
    }
    const completed = event.activityTaskCompletedEventAttributes;
    const attempt = completed && attempts.get(Number(completed.scheduledEventId));
    if (attempt) attempt.frames = decode<EmbedBatchOutput>(completed.result!.payloads![0]!).frames;
  }
  return [...attempts.values()];
}

/** Workers call themselves `<queue>#<pid>`. */
function pidOf(identity: string | null | undefined): number {
  return Number(identity?.split('#').at(-1));
}

function decode<T>(payload: Payload): T {
  return defaultPayloadConverter.fromPayload<T>(payload);
}
