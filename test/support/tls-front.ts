import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect as connectPlain } from 'node:net';
import path from 'node:path';
import { createServer } from 'node:tls';
import { run } from './other-readers.js';

/** Certificates of a test's own authority, for the server `temporal.test` and a client; PEM files. */
export interface TestCertificates {
  authority: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
}

/** Whether this machine can make them. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** Makes them in `dir`, with openssl. */
export function makeCertificates(dir: string): TestCertificates {
  const openssl = (...args: string[]): string => run('openssl', args);
  const at = (name: string): string => path.join(dir, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = at('authority.pem');
  const subject = ['-subj', '/CN=VirNucPro test authority', '-days', '2'];
  openssl('req', '-x509', ...newKey, ...subject, '-keyout', at('authority.key'), '-out', authority);
  const signed = (name: string, host: string): { cert: string; key: string } => {
    const [cert, key] = [at(`${name}.pem`), at(`${name}.key`)];
    const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-days', '2'];
    const noAuthority = ['-addext', 'basicConstraints=critical,CA:FALSE'];
    const by = ['-CA', authority, '-CAkey', at('authority.key')];
    openssl('req', '-x509', ...newKey, ...names, ...noAuthority, ...by, '-keyout', key, '-out', cert);
    return { cert, key };
  };
  return { authority, server: signed('server', 'temporal.test'), client: signed('client', 'agent') };
}

/** A Temporal service with mutual TLS, as users have it: hands on to a plain one what comes from a known client. */
export async function startTlsFront(
  plainAddress: string,
  { authority, server }: TestCertificates,
): Promise<{ address: string; close: () => void }> {
  const [host, port] = plainAddress.split(':') as [string, string];
  const [ca, cert, key] = await Promise.all([authority, server.cert, server.key].map((file) => readFile(file)));
  const front = createServer(
    { ca: ca!, cert: cert!, key: key!, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ['h2'] },
    (incoming) => {
      const outgoing = connectPlain(Number(port), host);
      incoming.pipe(outgoing).pipe(incoming);
      for (const [one, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        one.on('error', () => other.destroy()).on('close', () => other.destroy());
      }
    },
  );
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${(front.address() as AddressInfo).port}`, close: () => front.close() };
}
