import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { ACTIVITY_PREFIX } from '../contract/activity-names.js';
import { WAITING_FOR_STORAGE } from '../contract/progress.js';

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** An offer that no host takes; `progress` tells what the run waits for. */
const DECLINED = 'Declined';

/**
 * What holds a run up now, one line each: workflows that the agents fail on, steps that fail and are tried
 * again, and those that wait for storage. Of the run and of its slices.
 */
export async function troublesOf(client: Client, id: string): Promise<string[]> {
  const { raw } = await client.workflow.getHandle(id).describe();
  const slices = await Promise.all(
    (raw.pendingChildren ?? []).map(({ workflowId }) => client.workflow.getHandle(workflowId!).describe()),
  );
  const workflows = [raw, ...slices.map((slice) => slice.raw)];
  const tries = Math.max(...workflows.map(({ pendingWorkflowTask }) => pendingWorkflowTask?.attempt ?? 1));
  const failing =
    tries > 2 ? [`the agents cannot go on with it, tried ${tries} times: another build of virnucpro?`] : [];
  const troubles = workflows
    .flatMap(({ pendingActivities }) => pendingActivities ?? [])
    .flatMap((activity) => troubleOf(activity));
  return [...failing, ...[...new Set(troubles)].sort()];
}

function troubleOf(activity: PendingActivity): string[] {
  const step = activity.activityType?.name?.slice(ACTIVITY_PREFIX.length) ?? '';
  const [details] = (activity.heartbeatDetails?.payloads ?? []).map((payload) =>
    defaultPayloadConverter.fromPayload<{ state?: string; reason?: string }>(payload),
  );
  if (details?.state === WAITING_FOR_STORAGE) return [`${step} waits for storage: ${details.reason}`];
  const { lastFailure } = activity;
  if (!lastFailure || lastFailure.applicationFailureInfo?.type === DECLINED) return [];
  return [`${step} failed and is tried again: ${lastFailure.message}`];
}
