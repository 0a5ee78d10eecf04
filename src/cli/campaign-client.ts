import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  type WorkflowHandle,
  WorkflowFailedError,
  WorkflowIdConflictPolicy,
  WorkflowNotFoundError,
  isGrpcServiceError,
  isRetryableError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, CancelledFailure, ChildWorkflowFailure } from '@temporalio/common';
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

/** What a watcher does with what it sees. */
export type Show = (progress: CampaignProgress, troubles: readonly string[]) => void;

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
  const handle = await client.workflow.start<typeof predictCampaign>('predictCampaign', {
    taskQueue: CONTROL_QUEUE,
    workflowId,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    args: [{ samples: ref, options }],
    staticSummary: `${samplesText(samples)} at ${options.chunkSize} bases`,
    typedSearchAttributes: [
      { key: SAMPLE_ATTRIBUTE, value: samplesText(samples) },
      { key: STATE_ATTRIBUTE, value: 'inspecting' },
    ],
    memo: {
      started: new Date().toISOString(),
      samples: samples.length,
      outputDir: options.outputDir,
      done: 0,
      failed: 0,
      framesQuarantined: 0,
    } satisfies RunMemo,
  });
  return { handle, resumed: false };
}

/** The campaign that is or was known by this id. */
export function campaignHandle(client: Client, workflowId: string): StartedCampaign['handle'] {
  return client.workflow.getHandle<typeof predictCampaign>(workflowId);
}

/**
 * Waits for a campaign, showing its progress. When `signal` aborts, the run is cancelled and its end awaited (lanes
 * given back).
 * @throws RunFailed when the campaign failed or was cancelled by somebody else; the signal's reason when by it.
 */
export async function followCampaign(
  client: Client,
  handle: WorkflowHandle<typeof predictCampaign>,
  show: Show,
  signal?: AbortSignal,
): Promise<CampaignResult> {
  const cancel = (): void => {
    process.stderr.write('\nCancelling the run and giving its lanes back (again to leave at once) ...\n');
    handle.cancel().catch((error: unknown) => process.stderr.write(`cannot cancel: ${String(error)}\n`));
  };
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const over = new AbortController();
  const watching = watch(client, handle, show, over.signal);
  try {
    const result = await resultOf(handle);
    const progress = await look(handle);
    if (progress !== undefined) show(progress, []);
    return result;
  } catch (error) {
    if (signal?.aborted) process.stderr.write('Cancelled; the same command goes on from what is finished\n');
    signal?.throwIfAborted();
    throw toRunFailed(error);
  } finally {
    over.abort();
    await watching;
    signal?.removeEventListener('abort', cancel);
  }
}

/** The run's result, however long the server is away meanwhile. */
async function resultOf(handle: WorkflowHandle<typeof predictCampaign>): Promise<CampaignResult> {
  for (;;) {
    try {
      return await handle.result();
    } catch (error) {
      const { cause } = error as Error;
      if (!isGrpcServiceError(cause) || !isRetryableError(cause)) throw error;
    }
  }
}

/** `contigs`, or `a, b, c and 497 more`. */
function samplesText(samples: readonly SampleSpec[]): string {
  const names = samples.slice(0, SAMPLES_NAMED).map(({ name }) => name);
  const more = samples.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

async function watch(
  client: Client,
  handle: WorkflowHandle<typeof predictCampaign>,
  show: Show,
  over: AbortSignal,
): Promise<void> {
  let progress: CampaignProgress | undefined;
  let troubles: readonly string[] = [];
  let asked = Date.now();
  while (!over.aborted) {
    await client.withDeadline(Date.now() + POLL_MS.patience, async () => {
      progress = (await look(handle)) ?? progress;
      if (Date.now() - asked < POLL_MS.troubles) return;
      troubles = await troublesOf(client, handle.workflowId).catch(() => troubles);
      asked = Date.now();
    });
    if (progress !== undefined && !over.aborted) show(progress, troubles);
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
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
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
