import type { WorkflowHandle } from '@temporalio/client';
import { DeterminismViolationError } from '@temporalio/workflow';
import { ReplayError, Worker } from '@temporalio/worker';
import { PROGRESS_QUERY } from '../contract/progress.js';
import { installRuntime } from '../workers/log.js';
import { workflowBundle } from '../workers/workflow-bundle.js';
import type { EmbeddedRun } from './embedded-run.js';
import { cliLog } from './log.js';

/** A worker that can replay a run answers within seconds. */
const QUERY_MS = 15_000;

/**
 * Whether an open run can go on: this build can replay the histories of the campaign and its open slices, or the agent
 * of another command, which may be another build, answers for it.
 */
export async function canGoOn(embedded: EmbeddedRun, workflowId: string): Promise<boolean> {
  const { client } = embedded;
  const handle = client.workflow.getHandle(workflowId);
  installRuntime(cliLog().child({}, { level: 'fatal' }));
  const open = [handle, ...(await openSlices(handle)).map((id) => client.workflow.getHandle(id))];
  if ((await Promise.all(open.map(replays))).every(Boolean)) return true;
  if (embedded.isSupervisor()) return false;
  return client
    .withDeadline(Date.now() + QUERY_MS, () => handle.query(PROGRESS_QUERY))
    .then(
      () => true,
      () => false,
    );
}

/** Terminates a run that no worker can replay, and its slices: they could not even be cancelled. */
export async function terminateRun({ client }: EmbeddedRun, workflowId: string, reason: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  const slices = await openSlices(handle);
  await handle.terminate(reason);
  // One that ended meanwhile is fine.
  await Promise.allSettled(slices.map((id) => client.workflow.getHandle(id).terminate(reason)));
}

async function openSlices(handle: WorkflowHandle): Promise<string[]> {
  const { pendingChildren } = (await handle.describe()).raw;
  return (pendingChildren ?? []).map((child) => child.workflowId!);
}

async function replays(handle: WorkflowHandle): Promise<boolean> {
  try {
    const history = await handle.fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: workflowBundle() }, history, handle.workflowId);
    return true;
  } catch (error) {
    if (error instanceof DeterminismViolationError || error instanceof ReplayError) return false;
    throw error;
  }
}
