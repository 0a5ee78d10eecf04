import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { deviceName } from '../contract/devices.js';
import { cacheFolderPath, stateFolderPath } from '../io/user-folders.js';
import { type EmbeddedServer, type SupervisionState, joinSupervision } from '../server/supervisor.js';
import type { ManagedChildSpec } from '../server/managed-child.js';
import { findTemporalCli } from '../server/temporal-cli.js';
import { ROLES, type Role } from '../workers/roles.js';
import type { Gpu } from './choose-devices.js';
import { cliLog } from './log.js';
import { connectPatiently } from './patient-connection.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

/** A client on this machine's embedded Temporal. */
export interface EmbeddedClient {
  client: Client;
  /** The page of a run in the Temporal UI. */
  runUrl(workflowId: string): string;
  close(): Promise<void>;
}

/** The same, with an agent that serves it. */
export interface EmbeddedRun extends EmbeddedClient {
  /** Whether this process runs server and agent: then the agent is of this build. */
  isSupervisor(): boolean;
  /** Why the server or its agent is down now; undefined while both serve. */
  outage(): string | undefined;
}

/** Joins (or starts) the embedded server and agent, with lanes for this command's options. */
export async function openEmbeddedRun(options: {
  lanes: number;
  threads: number;
  /** Devices that it offers beside its CPU lanes. */
  gpus?: readonly Gpu[];
  /** What the agent does, all of it by default. */
  roles?: readonly Role[];
  temporalCli?: string | undefined;
  /** Gives up while the server is not there yet. */
  signal?: AbortSignal;
}): Promise<EmbeddedRun> {
  let state: SupervisionState | undefined;
  const temporalCli = await embeddedTemporalCli(options.temporalCli);
  // Once joined, only close() leaves: an interrupted run needs server and agent to be cancelled in order.
  const joining = new AbortController();
  const giveUp = (): void => joining.abort(options.signal?.reason);
  options.signal?.throwIfAborted();
  options.signal?.addEventListener('abort', giveUp, { once: true });
  const supervision = await joinSupervision({
    stateDir: stateFolderPath(),
    temporalCli,
    startAgent: (server) => agentCommand(server, options),
    log: cliLog(),
    onStateChange: (next) => (state = next),
    // As any other process manager would: a run is cancelled in order.
    onStop: () => process.kill(process.pid, 'SIGTERM'),
    signal: joining.signal,
  }).finally(() => options.signal?.removeEventListener('abort', giveUp));
  try {
    const connected = await connectClient(supervision);
    return {
      ...connected,
      isSupervisor: () => supervision.isSupervisor(),
      outage: () => state?.detail,
      close: async () => {
        await connected.close();
        await supervision.close();
      },
    };
  } catch (error) {
    await supervision.close();
    throw error;
  }
}

/** A client on the server, which must run. */
export async function connectClient({ address, namespace, uiUrl }: EmbeddedServer): Promise<EmbeddedClient> {
  const { connection, close } = await connectPatiently(address);
  return {
    client: new Client({ connection, namespace }),
    runUrl: (workflowId) => `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`,
    close,
  };
}

/** The Temporal CLI that `--temporal-cli`, the environment or the cache names; downloaded when there is none. */
export function embeddedTemporalCli(flag: string | undefined): Promise<string> {
  return findTemporalCli({
    ...(flag === undefined ? {} : { flag }),
    cacheDir: cacheFolderPath(),
    log: cliLog().child({}, { level: 'info' }),
  });
}

/** The agent that serves this machine's embedded server with CPU lanes, and with GPUs if there shall be any. */
export function agentCommand(
  server: EmbeddedServer,
  {
    lanes,
    threads,
    gpus = [],
    roles = ROLES,
  }: { lanes: number; threads: number; gpus?: readonly Gpu[]; roles?: readonly Role[] },
): ManagedChildSpec {
  const offered = gpus.length === 0 ? [] : ['--devices', ['cpu', ...gpus.map(deviceName)].join(',')];
  const devices = ['--cpu-lanes', String(lanes), '--threads', String(threads), ...offered];
  // A key or profile for some other server would keep it from this one.
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return {
    command: process.execPath,
    args: ['--enable-source-maps', MAIN, 'worker', '--roles', roles.join(','), ...devices],
    env: {
      ...Object.fromEntries(others),
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: server.namespace,
      TEMPORAL_CONFIG_FILE: '/nonexistent',
    },
  };
}
