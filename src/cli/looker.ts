import { setTimeout as sleep } from 'node:timers/promises';
import { ServerError } from '../contract/failures.js';
import { exists } from '../io/exists.js';
import { stateFolderPath } from '../io/user-folders.js';
import { NAMESPACE } from '../server/dev-server.js';
import { stateFile } from '../server/state-folder.js';
import { type ServerStatus, serverStatus } from '../server/status.js';
import { joinSupervision } from '../server/supervisor.js';
import { connectClient, embeddedTemporalCli } from './embedded-run.js';
import { cliLog } from './log.js';
import { type NamedRun, serviceOf } from './named-run.js';
import type { RunClient } from './run-client.js';
import { connectService } from './service-connection.js';

/** How long a server that is starting or stopping may take. */
const PATIENCE_MS = 30_000;

const POLL_MS = 100;

/** A client for a command that only looks. */
export interface Looker extends RunClient {
  /** Whether somebody runs server and agent: else open runs stand still, and nobody answers for them. */
  served: boolean;
}

/**
 * Connects to the server that has the run: to the service that its folder or the environment names, else to the embedded
 * server as it is. Undefined when there never was one.
 * @throws ServerError when it cannot be reached.
 */
export async function openLooker(run: Partial<NamedRun>, temporalCli?: string): Promise<Looker | undefined> {
  return (await openOnService(run)) ?? openEmbedded(temporalCli);
}

/** The same; undefined, too, when nobody serves the embedded server. */
export async function openServing(run: Partial<NamedRun>): Promise<Looker | undefined> {
  return (await openOnService(run)) ?? openServed();
}

/** One that is away is no reason to wait for a command that only looks. */
async function openOnService(run: Partial<NamedRun>): Promise<Looker | undefined> {
  const service = serviceOf(run, process.env);
  return service && { ...(await connectService(service, { waitSeconds: 0 })), served: true };
}

/**
 * A looker takes no part in supervision: it would bring no agent when it inherited the server. Only when no server runs,
 * it starts one to read from, until it is closed.
 */
async function openEmbedded(temporalCli?: string): Promise<Looker | undefined> {
  const served = await openServed();
  if (served !== undefined) return served;
  const stateDir = stateFolderPath();
  if (!(await exists(stateFile(stateDir, 'temporal.db')))) return undefined;
  const supervision = await joinSupervision({
    stateDir,
    temporalCli: await embeddedTemporalCli(temporalCli),
    log: cliLog(),
  });
  const connected = connectClient(supervision);
  return {
    ...connected,
    // Another command may have come first.
    served: !supervision.isSupervisor(),
    close: async () => {
      await connected.close();
      await supervision.close();
    },
  };
}

/** Connects to an embedded server that another command runs; undefined when none does. */
export async function openServed(): Promise<Looker | undefined> {
  const status = await settledStatus();
  if (!status.running) return undefined;
  const { address, uiUrl } = status;
  return { ...connectClient({ address, uiUrl, namespace: NAMESPACE }), served: true };
}

/** The server's status once it is neither starting nor stopping. */
async function settledStatus(): Promise<ServerStatus> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const status = await serverStatus(stateFolderPath());
    if (!status.running || status.phase === 'ready') return status;
    if (Date.now() > deadline) {
      throw new ServerError({
        what: `the embedded Temporal server is ${status.phase} for ${PATIENCE_MS / 1000} s`,
        where: status.stateDir,
        next: 'See server.log and agent.log there',
      });
    }
    await sleep(POLL_MS);
  }
}
