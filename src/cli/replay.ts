import type { WorkflowHandle } from '@temporalio/client';
import { PROGRESS_QUERY } from '../contract/progress.js';
import { installRuntime } from '../workers/log.js';
import { replays } from '../workers/replays.js';
import { workflowBundle } from '../workers/workflow-bundle.js';
import { cliLog } from './log.js';
import type { OpenRunClient } from './run-client.js';

/** A worker that can replay a run answers within seconds. */
const QUERY_MS = 15_000;

/**
 * Whether an open run can go on: this build can replay the histories of the campaign and its open slices, or the agent
 * of another command, which may be another build, answers for it.
 */
export async function canGoOn({ client, isSupervisor }: OpenRunClient, workflowId: string): Promise<boolean> {
  const handle = client.workflow.getHandle(workflowId);
  installRuntime(cliLog().child({}, { level: 'fatal' }));
  const open = [handle, ...(await openSlices(handle)).map((id) => client.workflow.getHandle(id))];
  if ((await Promise.all(open.map((run) => replays(run, workflowBundle())))).every(Boolean)) return true;
  if (isSupervisor?.()) return false;
  return client
    .withDeadline(Date.now() + QUERY_MS, () => handle.query(PROGRESS_QUERY))
    .then(
      () => true,
      () => false,
    );
}

/** Terminates a run that no worker can replay, and its slices: they could not even be cancelled. */
export async function terminateRun({ client }: OpenRunClient, workflowId: string, reason: string): Promise<void> {
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
