import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { embeddedConnectionOptions } from '../server/dev-server.js';

const RETRY_MS = 250;

/** 30 s of them: a server that is started again is back long before. */
const RETRIES = 120;

/** A connection to the embedded server whose calls wait while the server is being started again. */
export interface PatientConnection {
  connection: Connection;
  close(): Promise<void>;
}

/**
 * Connects to the server at `address`. A call that finds no server is repeated for 30 s; then it fails with the SDK's
 * `ServiceError`.
 */
export async function connectPatiently(address: string): Promise<PatientConnection> {
  const { retryableDecider } = defaultGrpcRetryOptions({ maxAttempts: RETRIES });
  let closing = false;
  let lastRetryAt = 0;
  const retry = makeGrpcRetryInterceptor({
    retryableDecider: (attempt, status) => !closing && retryableDecider(attempt, status),
    delayFunction: () => {
      lastRetryAt = Date.now() + RETRY_MS;
      return RETRY_MS;
    },
  });
  const connection = await Connection.connect({ ...embeddedConnectionOptions(address), interceptors: [retry] });
  return {
    connection,
    close: async () => {
      closing = true;
      // The SDK repeats in a timer; one that met a closed connection would end the process.
      await sleep(Math.max(0, lastRetryAt - Date.now()));
      await connection.close();
    },
  };
}
