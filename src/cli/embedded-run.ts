import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { deviceName } from '../contract/devices.js';
import { cacheFolderPath, stateFolderPath } from '../io/user-folders.js';
import { embeddedConnectionOptions } from '../server/dev-server.js';
import { type EmbeddedServer, type SupervisionState, joinSupervision } from '../server/supervisor.js';
import type { ManagedChildSpec } from '../server/managed-child.js';
import { findTemporalCli } from '../server/temporal-cli.js';
import { ROLES, type Role } from '../workers/roles.js';
import type { Gpu } from './choose-devices.js';
import { cliLog } from './log.js';
import { connectPatiently } from './patient-connection.js';
import type { OpenRunClient, RunClient } from './run-client.js';
import { type ServiceName, environmentOf } from './service.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

/** This machine's embedded Temporal, with an agent that serves it. */
export interface EmbeddedRun extends OpenRunClient {
  isSupervisor(): boolean;
  runUrl(workflowId: string): string;
}

/** Joins (or starts) the embedded server and agent, with lanes for this command's options. */
export async function openEmbeddedRun(options: {
  lanes: number;
  threads: number;
  /** CPU lanes are bound to CPUs of their own. */
  cpuBind?: boolean;
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
    const connected = connectClient(supervision);
    return {
      ...connected,
      isSupervisor: () => supervision.isSupervisor(),
      outage: () => (state?.detail === undefined ? undefined : `the embedded Temporal: ${state.detail}`),
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
export function connectClient({ address, namespace, uiUrl }: EmbeddedServer): RunClient & Pick<EmbeddedRun, 'runUrl'> {
  const { connection, close } = connectPatiently(embeddedConnectionOptions(address));
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

/** The agent that serves a server without credentials, as the embedded one, with CPU lanes, and with GPUs if there shall be any. */
export function agentCommand(
  server: ServiceName,
  {
    lanes,
    threads,
    cpuBind = false,
    gpus = [],
    roles = ROLES,
  }: { lanes: number; threads: number; cpuBind?: boolean; gpus?: readonly Gpu[]; roles?: readonly Role[] },
): ManagedChildSpec {
  // Each of them, so that no variable meant for other commands counts.
  const offered = ['cpu', ...gpus.map(deviceName)].join(',');
  const devices = ['--devices', offered, '--cpu-lanes', String(lanes), '--threads', String(threads)];
  if (cpuBind) devices.push('--cpu-bind');
  return {
    command: process.execPath,
    args: ['--enable-source-maps', MAIN, 'worker', '--roles', roles.join(','), ...devices],
    env: environmentOf(server),
  };
}
