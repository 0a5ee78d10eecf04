import { setTimeout as sleep } from 'node:timers/promises';
import {
  Connection,
  type ConnectionOptions,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';

const RETRY_MS = 250;

/** 30 s of them: a server that is started again is back long before. */
const RETRIES = 120;

/** A connection whose calls wait while the server is being started again. */
export interface PatientConnection {
  connection: Connection;
  close(): Promise<void>;
}

/**
 * A connection to the server that `options` name, made with the first call. A call that finds no server is repeated for
 * 30 s; then it fails with the SDK's `ServiceError`.
 */
export function connectPatiently(options: ConnectionOptions): PatientConnection {
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
  const connection = Connection.lazy({
    ...options,
    // By itself the channel would look for a lost server every two minutes in the end.
    channelArgs: { ...options.channelArgs, 'grpc.max_reconnect_backoff_ms': 5_000 },
    interceptors: [retry],
  });
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
