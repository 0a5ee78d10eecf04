import type { WorkflowHandle } from '@temporalio/client';
import { ReplayError, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';

/** Whether the workflow code of a bundle can replay what a run has done so far, and so go on with it. */
export async function replays(handle: WorkflowHandle, workflowBundle: WorkflowBundleOption): Promise<boolean> {
  try {
    const history = await handle.fetchHistory();
    await Worker.runReplayHistory({ workflowBundle }, history, handle.workflowId);
    return true;
  } catch (error) {
    if (error instanceof DeterminismViolationError || error instanceof ReplayError) return false;
    throw error;
  }
}
