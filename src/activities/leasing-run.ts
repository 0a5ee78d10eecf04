import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { WorkflowExecutionStatusName } from '@temporalio/client';
import type { LaneDeclined, LaneDown, LaneTaken, LaneUp } from '../contract/leases.js';

const SIGNAL_RETRY_MS = { first: 250, longest: 5_000 } as const;

const STOPPED: ReadonlySet<string> = new Set([
  'CANCELLED',
  'TERMINATED',
  'TIMED_OUT',
] satisfies WorkflowExecutionStatusName[]);

/** How long a server that is away is asked whether the run goes on. */
const PATIENCE_MS = 30_000;

/** The stage run whose lease the current activity is. */
export class LeasingRun {
  private readonly context = Context.current();

  /** Tells the run, for as long as the server is away: a lane that the run never hears of is lost to it. */
  async signal(name: string, payload: LaneDeclined | LaneTaken | LaneUp | LaneDown): Promise<void> {
    for (let wait: number = SIGNAL_RETRY_MS.first; ; wait = Math.min(2 * wait, SIGNAL_RETRY_MS.longest)) {
      try {
        return await this.handle().signal(name, payload);
      } catch (error) {
        // A run that is gone is noticed at the next heartbeat.
        if (error instanceof WorkflowNotFoundError) return;
        this.context.log.warn('signal not delivered, trying again', { name, error });
        await Promise.race([sleep(wait), this.context.cancelled]);
      }
    }
  }

  /** Whether the run goes on. A server that gives no answer for long counts as one that knows no such run. */
  async isOpen(): Promise<boolean> {
    for (const askedAt = Date.now(); ; await sleep(SIGNAL_RETRY_MS.first)) {
      try {
        return (await this.handle().describe()).status.name === 'RUNNING';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError || Date.now() - askedAt > PATIENCE_MS) return false;
      }
    }
  }

  /** Whether `campaign` was ended from outside, for good so far. Also after this activity's end. */
  async wasStopped(campaign: string): Promise<boolean> {
    const described = await this.context.client.workflow
      .getHandle(campaign)
      .describe()
      .catch(() => undefined);
    return described !== undefined && STOPPED.has(described.status.name);
  }

  private handle(): ReturnType<Context['client']['workflow']['getHandle']> {
    const { workflowId, runId } = this.context.info.workflowExecution!;
    return this.context.client.workflow.getHandle(workflowId, runId);
  }
}
