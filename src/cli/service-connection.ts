import { Client } from '@temporalio/client';
import { ServerError } from '../contract/failures.js';
import { sleepUnlessAborted } from '../server/timing.js';
import { whyAway } from '../workers/service-answer.js';
import { connectPatiently } from './patient-connection.js';
import type { RunClient } from './run-client.js';
import { type Service, serviceText } from './service.js';

/** Between two tries to reach a service that is away. */
const WAIT_MS = { first: 250, longest: 10_000 } as const;

/** How long a service that is away is waited for. */
interface WaitOptions {
  /** None: until `signal` aborts. */
  waitSeconds?: number | undefined;
  signal?: AbortSignal;
  say?: (line: string) => void;
}

/**
 * Connects to a service that answers for its namespace. One that is away is waited for, and `say` is told why; calls
 * through the client are patient, too.
 * @throws ServerError when it is away for longer, or at once when no wait can help: credentials, TLS or namespace are
 *   wrong. The signal's reason.
 */
export async function connectService(
  service: Service,
  { waitSeconds = Infinity, signal = new AbortController().signal, say = () => {} }: WaitOptions,
): Promise<RunClient> {
  const deadline = Date.now() + 1000 * waitSeconds;
  let said = '';
  for (let wait: number = WAIT_MS.first; ; wait = Math.min(2 * wait, WAIT_MS.longest)) {
    signal.throwIfAborted();
    const reason = await whyAway(service);
    if (reason === undefined) break;
    if (Date.now() >= deadline) throw away(service, reason);
    if (reason !== said) say(`The Temporal service ${serviceText(service)} is away: ${reason}; trying again`);
    said = reason;
    await sleepUnlessAborted(Math.min(wait, deadline - Date.now()), signal);
  }
  const { connection, close } = connectPatiently(service.connectionOptions);
  const { address, namespace } = service;
  return { client: new Client({ connection, namespace }), service: { address, namespace }, close };
}

function away(service: Service, reason: string): ServerError {
  return new ServerError({
    what: `the Temporal service is away: ${reason}`,
    where: serviceText(service),
    next: 'Check TEMPORAL_ADDRESS and the network, then give the command again',
  });
}
