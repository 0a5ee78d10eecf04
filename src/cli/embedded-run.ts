import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { cacheFolderPath, stateFolderPath } from '../io/user-folders.js';
import { embeddedConnectionOptions } from '../server/dev-server.js';
import { type EmbeddedServer, joinSupervision } from '../server/supervisor.js';
import type { ManagedChildSpec } from '../server/managed-child.js';
import { findTemporalCli } from '../server/temporal-cli.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

/** A client on this machine's embedded Temporal, with an agent that serves it. */
export interface EmbeddedRun {
  client: Client;
  /** The page of a run in the Temporal UI. */
  runUrl(workflowId: string): string;
  close(): Promise<void>;
}

/** Joins (or starts) the embedded server and agent, with lanes for this command's options. */
export async function openEmbeddedRun(options: {
  lanes: number;
  threads: number;
  temporalCli?: string | undefined;
  /** Gives up while the server is not there yet. */
  signal?: AbortSignal;
}): Promise<EmbeddedRun> {
  const log = pino({ level: process.env['VIRNUCPRO_LOG_LEVEL'] ?? 'warn' }, pino.destination(2));
  const temporalCli = await findTemporalCli({
    ...(options.temporalCli === undefined ? {} : { flag: options.temporalCli }),
    cacheDir: cacheFolderPath(),
    log: log.child({}, { level: 'info' }),
  });
  // Once joined, only close() leaves: an interrupted run needs server and agent to be cancelled in order.
  const joining = new AbortController();
  const giveUp = (): void => joining.abort(options.signal?.reason);
  options.signal?.throwIfAborted();
  options.signal?.addEventListener('abort', giveUp, { once: true });
  const supervision = await joinSupervision({
    stateDir: stateFolderPath(),
    temporalCli,
    startAgent: (server) => agentCommand(server, options),
    log,
    signal: joining.signal,
  }).finally(() => options.signal?.removeEventListener('abort', giveUp));
  try {
    const connection = await Connection.connect(embeddedConnectionOptions(supervision.address));
    const { namespace, uiUrl } = supervision;
    return {
      client: new Client({ connection, namespace }),
      runUrl: (workflowId) => `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`,
      close: async () => {
        await connection.close();
        await supervision.close();
      },
    };
  } catch (error) {
    await supervision.close();
    throw error;
  }
}

/** The agent that serves this machine's embedded server with CPU lanes. */
export function agentCommand(
  server: EmbeddedServer,
  { lanes, threads }: { lanes: number; threads: number },
): ManagedChildSpec {
  return {
    command: process.execPath,
    args: ['--enable-source-maps', MAIN, 'worker', '--cpu-lanes', String(lanes), '--threads', String(threads)],
    env: {
      ...process.env,
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: server.namespace,
    },
  };
}
