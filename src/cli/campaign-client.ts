import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  type WorkflowHandle,
  WorkflowFailedError,
  WorkflowIdConflictPolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, CancelledFailure, ChildWorkflowFailure } from '@temporalio/common';
import { RunFailed } from '../contract/failures.js';
import { PROGRESS_QUERY, type CampaignProgress } from '../contract/progress.js';
import { CONTROL_QUEUE } from '../contract/queues.js';
import type { CampaignResult, FailureReport, RunOptions, SampleSpec } from '../contract/run.js';
import { writeJsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';
import type { predictCampaign } from '../workflows/index.js';

/** How often progress is asked for while a run is watched. */
const POLL_MS = 500;

/** A campaign under way, and whether it was under way before. */
export interface StartedCampaign {
  handle: WorkflowHandle<typeof predictCampaign>;
  resumed: boolean;
}

/**
 * Starts a campaign, or goes on with the one called `workflowId` if the server still runs it. A run that ended, or
 * that the server does not know, starts anew under the same id and finds its finished artifacts.
 */
export async function startCampaign(
  client: Client,
  samples: SampleSpec[],
  options: RunOptions,
  workflowId?: string,
): Promise<StartedCampaign> {
  if (workflowId !== undefined && (await isOpen(client, workflowId))) {
    return { handle: client.workflow.getHandle(workflowId), resumed: true };
  }
  const ref = await openStore(options.outputDir).put('.virnucpro/samples.jsonl', (file) =>
    writeJsonLines(file, samples),
  );
  const handle = await client.workflow.start<typeof predictCampaign>('predictCampaign', {
    taskQueue: CONTROL_QUEUE,
    workflowId: workflowId ?? `virnucpro-${samples[0]!.stem}-${randomBytes(4).toString('hex')}`,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    args: [{ samples: ref, options }],
    staticSummary: `${samples.length === 1 ? samples[0]!.name : `${samples.length} samples`} at ${options.chunkSize} bases`,
  });
  return { handle, resumed: false };
}

/**
 * Waits for a campaign, showing its progress. When `signal` aborts, the run is cancelled and its end awaited (lanes
 * given back).
 * @throws RunFailed when the campaign failed or was cancelled by somebody else; the signal's reason when by it.
 */
export async function followCampaign(
  handle: WorkflowHandle<typeof predictCampaign>,
  show: (progress: CampaignProgress) => void,
  signal?: AbortSignal,
): Promise<CampaignResult> {
  const cancel = (): void => {
    process.stderr.write('\nCancelling the run and giving its lanes back (again to leave at once) ...\n');
    handle.cancel().catch((error: unknown) => process.stderr.write(`cannot cancel: ${String(error)}\n`));
  };
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const over = new AbortController();
  const watching = watch(handle, show, over.signal);
  try {
    return await handle.result();
  } catch (error) {
    signal?.throwIfAborted();
    throw toRunFailed(error);
  } finally {
    over.abort();
    await watching;
    signal?.removeEventListener('abort', cancel);
  }
}

async function watch(
  handle: WorkflowHandle<typeof predictCampaign>,
  show: (progress: CampaignProgress) => void,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    // No answer while the server restarts or no worker is up: the next poll asks again.
    const progress = await handle.query<CampaignProgress>(PROGRESS_QUERY).catch(() => undefined);
    if (progress !== undefined) show(progress);
    await sleep(POLL_MS, undefined, { signal: over }).catch(() => {});
  }
}

async function isOpen(client: Client, workflowId: string): Promise<boolean> {
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
