import type { Client } from '@temporalio/client';
import type { ServiceName } from './service.js';

/** A client on the server that has the runs: this machine's embedded one, or a Temporal service. */
export interface RunClient {
  client: Client;
  /** The service; undefined for the embedded server. */
  service?: ServiceName;
  /** The page of a run in the Temporal UI, where that is known. */
  runUrl?(workflowId: string): string;
  close(): Promise<void>;
}

/** The same for a command that runs a campaign. */
export interface OpenRunClient extends RunClient {
  /** Why the run stands still as far as this machine is the cause; undefined while it is not. */
  outage(): string | undefined;
  /** Whether this process runs server and agent: then the agent is of this build. */
  isSupervisor?(): boolean;
}
