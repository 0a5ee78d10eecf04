import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { LaneDeclined, LaneDown, LaneTaken, LaneUp } from '../contract/leases.js';

const SIGNAL_RETRY_MS = { first: 250, longest: 5_000 } as const;

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

  async isOpen(): Promise<boolean> {
    try {
      return (await this.handle().describe()).status.name === 'RUNNING';
    } catch {
      return false;
    }
  }

  private handle(): ReturnType<Context['client']['workflow']['getHandle']> {
    const { workflowId, runId } = this.context.info.workflowExecution!;
    return this.context.client.workflow.getHandle(workflowId, runId);
  }
}
