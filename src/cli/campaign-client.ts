import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionStatusName,
  type WorkflowHandle,
  WorkflowFailedError,
  WorkflowIdConflictPolicy,
  WorkflowNotFoundError,
  isGrpcServiceError,
  isRetryableError,
} from '@temporalio/client';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
} from '@temporalio/common';
import { RunFailed } from '../contract/failures.js';
import { PROGRESS_QUERY, type CampaignProgress } from '../contract/progress.js';
import { CONTROL_QUEUE } from '../contract/queues.js';
import { SAMPLE_ATTRIBUTE, STATE_ATTRIBUTE } from '../contract/search-attributes.js';
import type { CampaignResult, FailureReport, RunMemo, RunOptions, SampleSpec } from '../contract/run.js';
import { writeJsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';
import type { predictCampaign } from '../workflows/index.js';
import { troublesOf } from './troubles.js';

/** How often progress is asked for while a run is watched, and what holds it up; how long an answer may take. */
const POLL_MS = { progress: 500, troubles: 10_000, patience: 5_000 } as const;

/** What a watcher does with what it sees; no progress: the run has not answered yet. */
export type Show = (progress: CampaignProgress | undefined, troubles: readonly string[]) => void;

/** What ends the following of a run before the run ends. */
export interface FollowOptions {
  signal?: AbortSignal;
  /** The run goes on without its follower; else it is cancelled. */
  leave?: boolean;
}

/** What holds a run up when nobody answers for it. */
const NO_ANSWER = 'no agent answers for the run: one with the role control must run (virnucpro worker)';
const SERVER_AWAY = 'the Temporal server does not answer';

/** A cancelled run's lanes finish their calls (under 3 s each) and are given back. */
const CANCEL_GRACE_MS = 10_000;

/** Samples that a run's summary and search attribute name. */
const SAMPLES_NAMED = 3;

/** A campaign under way, and whether it was under way before. */
export interface StartedCampaign {
  handle: WorkflowHandle<typeof predictCampaign>;
  resumed: boolean;
}

/**
 * A run's name, which says what it is about. The same for the same `identity`, so that the same command given twice in the
 * same instant is one run.
 */
export function runIdOf(samples: readonly SampleSpec[], identity: object): string {
  const digest = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  return `virnucpro-${samples.length === 1 ? samples[0]!.name : 'campaign'}-${digest.slice(0, 8)}`;
}

/**
 * Starts a campaign, or goes on with the one called `workflowId` if the server still runs it. A run that ended, or
 * that the server does not know, starts anew under the same id and finds its finished artifacts.
 */
export async function startCampaign(
  client: Client,
  samples: SampleSpec[],
  options: RunOptions,
  workflowId: string,
): Promise<StartedCampaign> {
  if (await isOpen(client, workflowId)) {
    return { handle: campaignHandle(client, workflowId), resumed: true };
  }
  const ref = await openStore(options.outputDir).put('.virnucpro/samples.jsonl', (file) =>
    writeJsonLines(file, samples),
  );
  const text = samplesText(samples);
  const named = [
    { key: SAMPLE_ATTRIBUTE, value: text },
    { key: STATE_ATTRIBUTE, value: 'inspecting' },
  ];
  const start = (typedSearchAttributes: typeof named): Promise<StartedCampaign['handle']> =>
    client.workflow.start<typeof predictCampaign>('predictCampaign', {
      taskQueue: CONTROL_QUEUE,
      workflowId,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      args: [{ samples: ref, options }],
      staticSummary: `${text} at ${options.chunkSize} bases`,
      typedSearchAttributes,
      memo: {
        started: new Date().toISOString(),
        samples: samples.length,
        outputDir: options.outputDir,
        done: 0,
        failed: 0,
        framesQuarantined: 0,
      } satisfies RunMemo,
    });
  const handle = await start(named).catch((error: unknown) => {
    // A service has them only when its administrator has registered them.
    if (/search attribute/i.test(String((error as Error).cause ?? error))) return start([]);
    throw error;
  });
  return { handle, resumed: false };
}

/** The result of the campaign of this id, if it has completed and the server still knows it. */
export async function completedResult(client: Client, workflowId: string): Promise<CampaignResult | undefined> {
  const handle = campaignHandle(client, workflowId);
  return (await statusOf(client, workflowId)) === 'COMPLETED' ? handle.result() : undefined;
}

/**
 * The result of a campaign that has ended.
 * @throws RunFailed when it failed, was cancelled, terminated or ran out of time.
 */
export async function endedResult(client: Client, workflowId: string): Promise<CampaignResult> {
  return campaignHandle(client, workflowId)
    .result()
    .catch((error: unknown) => {
      throw toRunFailed(error);
    });
}

/** The campaign that is or was known by this id. */
export function campaignHandle(client: Client, workflowId: string): StartedCampaign['handle'] {
  return client.workflow.getHandle<typeof predictCampaign>(workflowId);
}

/**
 * Waits for a campaign, showing its progress. When `signal` aborts, the run is cancelled and its end awaited (lanes
 * given back), or left.
 * @throws RunFailed when the campaign failed or was cancelled by somebody else; the signal's reason when by it.
 */
export async function followCampaign(
  client: Client,
  handle: WorkflowHandle<typeof predictCampaign>,
  show: Show,
  { signal, leave = false }: FollowOptions = {},
): Promise<CampaignResult> {
  const { workflowId } = handle;
  const left = new AbortController();
  const interrupt = (): void => {
    if (leave) return left.abort();
    process.stderr.write('\nCancelling the run and giving its lanes back (again to leave at once) ...\n');
    campaignHandle(client, workflowId)
      .cancel()
      .catch((error: unknown) => process.stderr.write(`cannot cancel: ${String(error)}\n`));
  };
  if (signal?.aborted) interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });
  const over = new AbortController();
  const notices: string[] = [];
  const watching = watch(
    client,
    workflowId,
    (progress, troubles) => show(progress, [...notices, ...troubles]),
    over.signal,
  );
  try {
    const result = await Promise.race([resultOf(client, handle, notices, over.signal), rejectedBy(left.signal)]);
    const progress = await look(campaignHandle(client, workflowId));
    if (progress !== undefined) show(progress, []);
    return result;
  } catch (error) {
    if (signal?.aborted && !leave) process.stderr.write('Cancelled; the same command goes on from what is finished\n');
    signal?.throwIfAborted();
    throw toRunFailed(error);
  } finally {
    over.abort();
    await watching;
    signal?.removeEventListener('abort', interrupt);
  }
}

/**
 * The run's result, however long the server is away meanwhile, and also when an agent starts it anew because none that
 * is left can replay it.
 */
async function resultOf(
  client: Client,
  started: WorkflowHandle<typeof predictCampaign>,
  notices: string[],
  over: AbortSignal,
): Promise<CampaignResult> {
  for (let handle = started; ;) {
    try {
      return await handle.result();
    } catch (error) {
      if (over.aborted) throw error;
      const { cause } = error as Error;
      if (cause instanceof TerminatedFailure && (await isOpen(client, started.workflowId))) {
        handle = campaignHandle(client, started.workflowId);
        notices.push(
          'The run was started anew, as no agent could replay what another build had begun; finished work is used',
        );
      } else if (!isGrpcServiceError(cause) || !isRetryableError(cause)) throw error;
    }
  }
}

async function rejectedBy(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

/** `contigs`, or `a, b, c and 497 more`. */
function samplesText(samples: readonly SampleSpec[]): string {
  const names = samples.slice(0, SAMPLES_NAMED).map(({ name }) => name);
  const more = samples.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

async function watch(client: Client, workflowId: string, show: Show, over: AbortSignal): Promise<void> {
  const handle = campaignHandle(client, workflowId);
  let progress: CampaignProgress | undefined;
  let troubles: readonly string[] = [];
  let asked = Date.now();
  let answered = Date.now();
  while (!over.aborted) {
    await client.withDeadline(Date.now() + POLL_MS.patience, async () => {
      const answer = await look(handle);
      if (answer !== undefined) answered = Date.now();
      progress = answer ?? progress;
      if (Date.now() - asked < POLL_MS.troubles) return;
      const silent = Date.now() - answered > POLL_MS.troubles ? [NO_ANSWER] : [];
      troubles = await troublesOf(client, workflowId).then(
        (found) => [...found, ...silent],
        () => [SERVER_AWAY],
      );
      asked = Date.now();
    });
    if (!over.aborted && (progress !== undefined || troubles.length > 0)) show(progress, troubles);
    await sleep(POLL_MS.progress, undefined, { signal: over }).catch(() => {});
  }
}

/**
 * Cancels a run that is still open and waits for its end; one that does not end is terminated.
 * @param heartbeatMs its leases' heartbeat: a dead host's end that late.
 * @returns whether it was open.
 */
export async function endRun(client: Client, workflowId: string, heartbeatMs: number): Promise<boolean> {
  if (!(await isOpen(client, workflowId))) return false;
  const handle = client.workflow.getHandle(workflowId);
  await handle.cancel();
  const ended = handle.result().then(
    () => true,
    (error: unknown) => error instanceof WorkflowFailedError,
  );
  const late = sleep(2 * heartbeatMs + CANCEL_GRACE_MS, false, { ref: false });
  if (!(await Promise.race([ended, late]))) await handle.terminate('it did not end when it was cancelled');
  return true;
}

/** How far the run is. No answer while the server restarts or no worker is up: the next poll asks again. */
async function look(handle: WorkflowHandle<typeof predictCampaign>): Promise<CampaignProgress | undefined> {
  return handle.query<CampaignProgress>(PROGRESS_QUERY).catch(() => undefined);
}

/** Whether the server knows this run and it has not ended. */
export async function isOpen(client: Client, workflowId: string): Promise<boolean> {
  return (await statusOf(client, workflowId)) === 'RUNNING';
}

/** Whether the run is still open, but was told to end: nobody can go on with it. */
export async function isEnding(client: Client, workflowId: string): Promise<boolean> {
  const run = await describeIfKnown(client, workflowId);
  return run?.status.name === 'RUNNING' && run.raw.workflowExtendedInfo?.cancelRequested === true;
}

async function statusOf(client: Client, workflowId: string): Promise<WorkflowExecutionStatusName | undefined> {
  return (await describeIfKnown(client, workflowId))?.status.name;
}

async function describeIfKnown(client: Client, workflowId: string): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

function toRunFailed(error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError)) return error;
  let { cause } = error;
  while (cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure) cause = cause.cause;
  if (cause instanceof CancelledFailure) {
    return new RunFailed('Cancelled', {
      what: 'the run was cancelled',
      next: 'The same command starts it again; finished work is kept',
    });
  }
  const [report] = cause instanceof ApplicationFailure ? ((cause.details ?? []) as FailureReport[]) : [];
  return new RunFailed(report?.type ?? 'Unexpected', {
    what: report?.what ?? cause?.message ?? error.message,
    ...(report?.where === undefined ? {} : { where: report.where }),
    next: report?.next ?? 'See the run in the Temporal UI (virnucpro server start)',
  });
}
