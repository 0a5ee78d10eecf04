import { connect as connectTls } from 'node:tls';
import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import { ServerError } from '../contract/failures.js';
import { CONTROL_QUEUE } from '../contract/queues.js';
import { type Service, serviceText } from './service.js';

/** How long a service may take for an answer of a few bytes. */
const ANSWER_MS = 10_000;

/** gRPC status codes. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const UNAUTHENTICATED = 16;

/** What grpc-js says of a TLS handshake that can never succeed. */
const TLS_FAILURE = /SSL routines|ERR_TLS|ERR_SSL|certificate|wrong version number/i;

/** The workflow tasks' queue; `temporal.api.enums.v1.TaskQueueType`. */
const WORKFLOW_QUEUE = 1;

/** Whether an agent that runs our workflows was seen on the service in the last five minutes. */
export async function isServed({ connection, options: { namespace } }: Client): Promise<boolean> {
  const taskQueue = { name: CONTROL_QUEUE };
  const found = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue,
    taskQueueType: WORKFLOW_QUEUE,
  });
  return found.pollers.length > 0;
}

/**
 * Why a service does not answer for its namespace now; undefined when it does.
 * @throws ServerError when no wait can help: credentials, TLS, address or namespace are wrong.
 */
export async function whyAway(service: Service): Promise<string | undefined> {
  const connection = connectionTo(service);
  try {
    const client = new Client({ connection, namespace: service.namespace });
    await connection.withDeadline(Date.now() + ANSWER_MS, () => isServed(client));
    return undefined;
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error;
    const problem = await refusal(service, error.code, error.details);
    if (problem !== undefined) throw new ServerError({ where: serviceText(service), ...problem, cause: error });
    return reasonIn(error.details);
  } finally {
    await connection.close();
  }
}

/** @throws ServerError when the address, or a certificate, is not even one. */
function connectionTo(service: Service): Connection {
  try {
    hostAndPort(service.address);
    return Connection.lazy({ ...service.connectionOptions, interceptors: [] });
  } catch (error) {
    throw new ServerError({
      what: `no connection can be made: ${(error as Error).message}`,
      where: serviceText(service),
      next: 'Check TEMPORAL_ADDRESS (host:port, without https://) and the TEMPORAL_TLS_ variables',
      cause: error,
    });
  }
}

/** What is wrong that no wait puts right. */
async function refusal(
  service: Service,
  code: number,
  details: string,
): Promise<{ what: string; next: string } | undefined> {
  const { tls, apiKey } = service.connectionOptions;
  if (code === UNAUTHENTICATED || code === PERMISSION_DENIED) {
    return {
      what: `the Temporal service refuses ${apiKey ? 'this API key' : 'access'}: ${details}`,
      next: 'Check TEMPORAL_API_KEY, or the client certificate, and what it may do in this namespace',
    };
  }
  if (code === NOT_FOUND) {
    return { what: `the Temporal service has no such namespace: ${details}`, next: 'Set TEMPORAL_NAMESPACE' };
  }
  if (code === UNIMPLEMENTED || code === INVALID_ARGUMENT) {
    return {
      what: `what answers there is no Temporal service: ${details}`,
      next: 'Check TEMPORAL_ADDRESS (host:port of the gRPC frontend, not of the web UI), and whether a proxy stands between',
    };
  }
  if (TLS_FAILURE.test(details)) {
    return {
      what: `no TLS connection: ${reasonIn(details)}`,
      next:
        'Check TEMPORAL_TLS_SERVER_CA_CERT_PATH, TEMPORAL_TLS_SERVER_NAME, TEMPORAL_TLS_CLIENT_CERT_PATH and ..._KEY_PATH; ' +
        'for a service without TLS set TEMPORAL_TLS=false',
    };
  }
  if (!tls && (await speaksTls(service.address))) {
    return {
      what: 'the Temporal service speaks TLS only',
      next: 'Set TEMPORAL_TLS=true, or TEMPORAL_API_KEY or the TEMPORAL_TLS_ variables that it wants (docs/fleet.md)',
    };
  }
  return undefined;
}

/** The reason in what grpc-js says, without its frame. */
function reasonIn(details: string): string {
  return details
    .replace(/^No connection established\. Last error: (Error: )?/, '')
    .replace(/\s*\(\d{4}-\d\d-[^)]*\)/, '')
    .replace(/\s*Resolution note:[^]*$/, '')
    .replace(/^[0-9A-F]{8,}:error:[0-9A-F]+:SSL routines:\w*:([^:]+):[^]*$/, '$1')
    .replace(/\.?\s*$/, '');
}

/** @throws TypeError when `address` is not host:port. */
function hostAndPort(address: string): { host: string; port: number } {
  const { hostname, port } = new URL(`tcp://${address}`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 7233) };
}

/** Whether a server at `address` answers a TLS hello. */
function speaksTls(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({
      ...hostAndPort(address),
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      timeout: ANSWER_MS,
    });
    const settle = (speaks: boolean) => (): void => {
      socket.destroy();
      resolve(speaks);
    };
    socket.once('secureConnect', settle(true)).once('error', settle(false)).once('timeout', settle(false));
  });
}
