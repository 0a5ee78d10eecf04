import { setTimeout as sleep } from 'node:timers/promises';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import type { Logger } from './log.js';

/** A worker's way to the server, from the standard environment configuration (TEMPORAL_ADDRESS, profiles, TLS, key). */
export interface WorkerConnection {
  connection: NativeConnection;
  namespace: string;
}

/** Connects, and keeps trying while the server is away: a worker outlives its server, at the start too. */
export async function connectWorker(log: Logger, signal?: AbortSignal): Promise<WorkerConnection> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  for (let wait = 250; ; wait = Math.min(wait * 2, 10_000)) {
    try {
      const connection = await NativeConnection.connect(connectionOptions);
      return { connection, namespace: namespace ?? 'default' };
    } catch (error) {
      log.warn({ address: connectionOptions.address, error: String(error) }, 'server is away, trying again');
      await sleep(wait, undefined, signal ? { signal } : {});
    }
  }
}
