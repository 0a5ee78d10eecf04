import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import { ServerError } from '../contract/failures.js';
import type { Logger } from './log.js';
import { type ServiceName, configuredService } from './service.js';
import { whyAway } from './service-answer.js';

/** A worker's way to the server, from the standard environment configuration (TEMPORAL_ADDRESS, profiles, TLS, key). */
export interface WorkerConnection {
  connection: NativeConnection;
  namespace: string;
}

/**
 * Connects, and keeps trying while the server is away: a worker outlives its server, at the start too.
 * @throws ServerError when no wait can help: credentials, TLS, address or namespace are wrong. OptionError.
 */
export async function connectWorker(log: Logger, signal?: AbortSignal): Promise<WorkerConnection> {
  const service = configuredService(process.env);
  const attempt = async (): Promise<WorkerConnection> => {
    const reason = await whyAway(service);
    if (reason !== undefined) throw new Error(reason);
    return connect(loadClientConnectConfig());
  };
  return untilConnected(attempt, service, log, signal);
}

/** As {@link connectWorker}, for a lane: its agent was let in with the same credentials, so what refuses now may pass. */
export function connectLane(log: Logger): Promise<WorkerConnection> {
  return untilConnected(() => connect(loadClientConnectConfig()), configuredService(process.env), log);
}

async function untilConnected(
  attempt: () => Promise<WorkerConnection>,
  { address }: ServiceName,
  log: Logger,
  signal?: AbortSignal,
): Promise<WorkerConnection> {
  for (let wait = 250; ; wait = Math.min(wait * 2, 10_000)) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof ServerError) throw error;
      log.warn({ address, error: String(error) }, 'server is away, trying again');
      await sleep(wait, undefined, signal ? { signal } : {});
    }
  }
}

/**
 * Connects as the variables of `env` say, where a server is known to be.
 * @throws ServerError when it is not there.
 */
export async function connectOnce(env: NodeJS.ProcessEnv): Promise<WorkerConnection> {
  const config = loadClientConnectConfig({ overrideEnvVars: env as Record<string, string> });
  try {
    return await connect(config);
  } catch (error) {
    throw new ServerError({
      what: 'no Temporal server where the environment says',
      where: config.connectionOptions.address ?? 'no TEMPORAL_ADDRESS',
      next: 'Set TEMPORAL_ADDRESS, and the other TEMPORAL_ variables, to the server that your worker uses',
      cause: error,
    });
  }
}

async function connect({ connectionOptions, namespace }: ClientConnectConfig): Promise<WorkerConnection> {
  return { connection: await NativeConnection.connect(connectionOptions), namespace: namespace ?? 'default' };
}
