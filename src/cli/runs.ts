import {
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { OptionError } from '../contract/failures.js';
import { PROGRESS_QUERY, type CampaignProgress } from '../contract/progress.js';
import type { RunMemo } from '../contract/run.js';
import type { Looker } from './looker.js';
import type { RunClient } from './run-client.js';
import { type ServiceName, serviceText } from './service.js';
import { troublesOf } from './troubles.js';

/** A worker answers within milliseconds; one that cannot replay the run never does. */
const QUERY_MS = 5_000;

const ALL_RUNS = "WorkflowType = 'predictCampaign' AND ExecutionStatus != 'ContinuedAsNew'";

/** What both a list and a description of a run have. */
type RunInfo = Pick<WorkflowExecutionInfo, 'workflowId' | 'status' | 'startTime' | 'memo'>;

/** A run as `list` and `status` show it. */
export interface RunView extends RunMemo {
  id: string;
  /**
   * Of an open run what it is doing, `interrupted` when no command serves it, or `unknown` when it does not answer; else
   * `done`, `partial` (some samples failed, or frames were quarantined), `failed`, `cancelled`, `terminated` or `timed_out`.
   */
  state: string;
  open: boolean;
  /** Of an open run that answers. */
  progress?: CampaignProgress;
  /** What holds an open run up. */
  troubles?: string[];
}

/** Every run that the server knows, newest first. */
export async function listRuns(looker: Looker): Promise<RunView[]> {
  const runs: RunView[] = [];
  for await (const info of looker.client.workflow.list({ query: ALL_RUNS })) runs.push(await viewRun(looker, info));
  return runs.sort((a, b) => (a.started < b.started ? 1 : -1));
}

/** Ids of the runs that have not ended. */
export async function openRunIds(client: Client): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: `${ALL_RUNS} AND ExecutionStatus = 'Running'` })) {
    ids.push(workflowId);
  }
  return ids.sort();
}

/**
 * One run.
 * @throws OptionError when the server knows no such run.
 */
export async function describeRun(looker: Looker, id: string): Promise<RunView> {
  const run = await viewRun(looker, await findRun(looker, id));
  return run.open ? { ...run, troubles: await troublesOf(looker.client, id) } : run;
}

/**
 * What the server knows of a run.
 * @throws OptionError when that is nothing.
 */
export async function findRun({ client, service }: RunClient, id: string): Promise<WorkflowExecutionDescription> {
  if (id === '') throw unknownRun('(an empty id)', service);
  const found = await client.workflow
    .getHandle(id)
    .describe()
    .catch((error: unknown) => {
      throw error instanceof WorkflowNotFoundError ? unknownRun(id, service) : error;
    });
  // Its slices, and other people's workflows, are no runs.
  if (found.type !== 'predictCampaign') throw unknownRun(id, service);
  return found;
}

/** For a run that the server does not know. */
export function unknownRun(id: string, service?: ServiceName): OptionError {
  const where = service === undefined ? 'this machine' : `the Temporal service ${serviceText(service)}`;
  return new OptionError({ what: `no run ${id} on ${where}`, next: 'See virnucpro list' });
}

async function viewRun({ client, served }: Looker, info: RunInfo): Promise<RunView> {
  // A run that another program started may have no memo.
  const memo: RunMemo = {
    started: info.startTime.toISOString(),
    samples: 0,
    outputDir: '',
    done: 0,
    failed: 0,
    framesQuarantined: 0,
    ...info.memo,
  };
  const open = info.status.name === 'RUNNING';
  const run = { ...memo, id: info.workflowId, open };
  if (!open) return { ...run, state: closedState(info, memo) };
  if (!served) return { ...run, state: 'interrupted' };
  const progress = await client
    .withDeadline(Date.now() + QUERY_MS, () =>
      client.workflow.getHandle(info.workflowId).query<CampaignProgress>(PROGRESS_QUERY),
    )
    .catch(() => undefined);
  if (progress === undefined) return { ...run, state: 'unknown' };
  const { done, failed } = progress.samples;
  return { ...run, done, failed, state: progress.paused ? 'paused' : progress.state, progress };
}

function closedState({ status }: RunInfo, { failed, framesQuarantined }: RunMemo): string {
  if (status.name !== 'COMPLETED') return status.name.toLowerCase();
  return failed > 0 || framesQuarantined > 0 ? 'partial' : 'done';
}
