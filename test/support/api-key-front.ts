import { readFile } from 'node:fs/promises';
import { type OutgoingHttpHeaders, connect, constants, createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestCertificates } from './tls-front.js';

/** gRPC status of a call without a valid key. */
const UNAUTHENTICATED = 16;

/** A Temporal service over TLS that takes an API key, as clouds have it: hands on to a plain one calls that bear `key`. */
export async function startApiKeyFront(
  plainAddress: string,
  { server }: Pick<TestCertificates, 'server'>,
  key: string,
): Promise<{ address: string; close: () => void }> {
  const plain = connect(`http://${plainAddress}`);
  const front = createSecureServer({ cert: await readFile(server.cert), key: await readFile(server.key) });
  front.on('stream', (incoming, headers) => {
    incoming.on('error', () => {});
    if (headers['authorization'] !== `Bearer ${key}`) {
      const refused = { 'grpc-status': UNAUTHENTICATED, 'grpc-message': 'invalid API key' };
      return incoming.respond({ ':status': 200, 'content-type': 'application/grpc', ...refused }, { endStream: true });
    }
    const outgoing = plain.request({ ...headers, ':scheme': 'http' });
    let trailers: OutgoingHttpHeaders = {};
    outgoing.on('response', (answer, flags) => {
      const endStream = Boolean(flags & constants.NGHTTP2_FLAG_END_STREAM);
      incoming.respond(answer, { endStream, waitForTrailers: !endStream });
      if (endStream) return;
      outgoing.pipe(incoming);
      incoming.once('wantTrailers', () => incoming.sendTrailers(trailers));
    });
    outgoing.on('trailers', (sent) => (trailers = sent));
    outgoing.on('error', () => incoming.close());
    incoming.on('aborted', () => outgoing.close());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(front.address() as AddressInfo).port}`,
    close: () => {
      plain.destroy();
      front.close();
    },
  };
}
