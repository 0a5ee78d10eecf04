import { type Client, type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { STUCK_RUN } from '../contract/defaults.js';
import { CONTROL_QUEUE } from '../contract/queues.js';
import { sleepUnlessAborted } from '../server/timing.js';
import type { Logger } from './log.js';
import { replays } from './replays.js';

const OPEN = `TaskQueue = '${CONTROL_QUEUE}' AND ExecutionStatus = 'Running'`;

/** Signals are of slices that end with the old run; what people asked for, by updates, is asked of the new one again. */
const RESET_WITHOUT_SIGNALS = [1];

/** Of an agent with the role `control`. */
export interface StuckRunsOptions {
  client: Client;
  /** The workflow code that this agent runs. */
  workflowBundle: WorkflowBundleOption;
  log: Logger;
  signal: AbortSignal;
}

/**
 * Until `signal` aborts: looks for runs that nobody goes on with any more because the builds that began them are gone,
 * and starts each anew under its id. It finds its finished artifacts, so only calls under way are made again. A run on which
 * agents have failed several times, and which this one cannot replay either, is one: an agent of the old build, while there
 * is one, takes such a task sooner or later and the count is back at one.
 */
export async function restartStuckRuns(options: StuckRunsOptions): Promise<void> {
  const { client, log, signal } = options;
  while (!signal.aborted) {
    await sleepUnlessAborted(STUCK_RUN.lookMs, signal);
    try {
      for await (const { workflowId, runId } of client.workflow.list({ query: OPEN })) {
        if (signal.aborted) return;
        await restartIfStuck(workflowId, runId, options);
      }
    } catch (error) {
      // The service is away: the agent's workers say so.
      if (!signal.aborted) log.debug({ error: String(error) }, 'cannot look for stuck runs');
    }
  }
}

async function restartIfStuck(
  workflowId: string,
  runId: string,
  { client, workflowBundle, log }: StuckRunsOptions,
): Promise<void> {
  const handle = client.workflow.getHandle(workflowId, runId);
  const found = await handle.describe();
  if ((found.raw.pendingWorkflowTask?.attempt ?? 1) <= STUCK_RUN.failures) return;
  if (await replays(handle, workflowBundle)) return;
  const campaign = await campaignOf(found, client);
  if (campaign === undefined) return log.warn({ workflowId }, 'no agent can replay it, and its campaign is not ours');
  if (campaign === 'ended') return terminate(client, workflowId);
  log.warn({ workflowId: campaign.workflowId, stuck: workflowId }, 'no agent can replay it: started anew');
  // First of all, so that whoever is interrupted here leaves no lane taken for nobody.
  const slices = campaign.raw.pendingChildren ?? [];
  await Promise.all(slices.map((slice) => terminate(client, slice.workflowId!)));
  await startAnew(campaign, client);
}

/** The campaign that a stuck workflow is or belongs to; undefined when its parent is somebody else's. */
async function campaignOf(
  stuck: WorkflowExecutionDescription,
  client: Client,
): Promise<WorkflowExecutionDescription | 'ended' | undefined> {
  if (stuck.type === 'predictCampaign') return stuck;
  const { parentExecution } = stuck;
  if (parentExecution === undefined) return undefined;
  const parent = await client.workflow.getHandle(parentExecution.workflowId!, parentExecution.runId!).describe();
  if (parent.type !== 'predictCampaign') return undefined;
  return parent.status.name === 'RUNNING' ? parent : 'ended';
}

/** By the server's reset to before the first task: one step, and the same when two agents do it. */
async function startAnew({ workflowId, runId }: WorkflowExecutionDescription, client: Client): Promise<void> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const first = events!.find((event) => event.workflowTaskStartedEventAttributes);
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: first!.eventId!,
    resetReapplyExcludeTypes: RESET_WITHOUT_SIGNALS,
    requestId: `anew-${runId}`,
    reason: 'no build of virnucpro that serves it can replay it',
  });
}

async function terminate(client: Client, workflowId: string): Promise<void> {
  await client.workflow
    .getHandle(workflowId)
    .terminate('no build of virnucpro that serves it can replay its campaign')
    .catch((error: unknown) => {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    });
}
