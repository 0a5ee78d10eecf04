import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { z } from 'zod';
import { ServerError } from '../contract/failures.js';
import { temporaryName } from '../io/local-store.js';

/** Everything listens here only. */
export const LOOPBACK = '127.0.0.1';

// Below the ephemeral range of every system (Linux starts at 32768), so that no outgoing connection can sit on them.
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;

const portsSchema = z.strictObject({
  server: z.number().int().min(1).max(65_535),
  ui: z.number().int().min(1).max(65_535),
  supervisor: z.number().int().min(1).max(65_535),
});

/** The ports of one state folder, chosen once: links into the UI stay good. */
export type Ports = z.infer<typeof portsSchema>;

/** Whether nobody listens on `port`. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: LOOPBACK, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Whether somebody listens on `port`. Unlike {@link isFree} it never holds the port, so a server may start meanwhile. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ host: LOOPBACK, port });
    probe.once('error', () => resolve(false));
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
  });
}

/**
 * The ports in `file`, or undefined when there is no such file.
 * @throws ServerError when the file is not what it should be.
 */
export async function readPorts(file: string): Promise<Ports | undefined> {
  try {
    return portsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ServerError({
      what: 'the file with the ports of the embedded Temporal is not readable as such',
      where: file,
      next: 'Delete it while no virnucpro command runs; new ports are chosen then',
      cause: error,
    });
  }
}

/**
 * The ports in `file`; the first call of all chooses them. Of several first calls at once one wins, and all return its
 * choice.
 */
export async function choosePorts(file: string): Promise<Ports> {
  const known = await readPorts(file);
  if (known) return known;
  const server = await freePort([]);
  const ui = await freePort([server]);
  const ports: Ports = { server, ui, supervisor: await freePort([server, ui]) };
  const temporary = temporaryName(file);
  await writeFile(temporary, JSON.stringify(ports) + '\n');
  try {
    // A link, unlike a rename, fails when the name is there already.
    await link(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary);
  }
  return (await readPorts(file)) ?? ports;
}

async function freePort(taken: number[]): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if (!taken.includes(port) && (await isFree(port))) return port;
  }
}
