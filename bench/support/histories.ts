import type { Client } from '@temporalio/client';
import type { Stage } from '../../src/contract/stages.js';
import type { WatchedRun } from '../../test/support/faults/watched-run.js';

/** How long one workflow run's history is. */
export interface RunHistory {
  type: string;
  id: string;
  events: number;
}

/** From the first batch given to a lane to the last one finished, in seconds of the server's clock. */
export async function stageSpan(run: WatchedRun, stage: Stage): Promise<number> {
  const attempts = await run.attempts(stage);
  const first = Math.min(...attempts.map(({ scheduledAt }) => scheduledAt));
  const last = Math.max(...attempts.map(({ endedAt = 0 }) => endedAt));
  return (last - first) / 1000;
}

/**
 * From the start of the stage to its last batch finished, in seconds: with the lanes' start and loads, without their
 * release, which waits for a heartbeat.
 */
export async function secondsToLastBatch(run: WatchedRun, stage: Stage): Promise<number> {
  const slices = await Promise.all((await run.slices(stage)).map((slice) => slice.describe()));
  const start = Math.min(...slices.map(({ startTime }) => startTime.getTime()));
  const attempts = await run.attempts(stage);
  return (Math.max(...attempts.map(({ endedAt = 0 }) => endedAt)) - start) / 1000;
}

/** History events of every run whose workflow id starts with `id`. */
export async function historyEvents(client: Client, id: string): Promise<RunHistory[]> {
  const found: RunHistory[] = [];
  for await (const run of client.workflow.list({ query: `WorkflowId STARTS_WITH "${id}"` })) {
    const { historyLength } = await client.workflow.getHandle(run.workflowId, run.runId).describe();
    found.push({ type: run.type, id: run.workflowId, events: historyLength });
  }
  return found;
}
