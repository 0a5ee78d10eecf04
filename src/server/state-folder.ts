import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { OptionError } from '../contract/failures.js';
import { networkFileSystem } from './network-file-systems.js';
import { choosePorts, type Ports } from './ports.js';

/** The folder of one embedded Temporal: its database, ports and logs. One supervisor and one server each. */
export interface StateFolder {
  /** Real path. */
  dir: string;
  /** Tells this folder from others on the supervisor's port. */
  id: string;
  ports: Ports;
}

/** A file of the state folder `dir`. */
export function stateFile(
  dir: string,
  name: 'ports.json' | 'temporal.db' | 'server.json' | 'server.log' | 'agent.log' | 'stop',
): string {
  return path.join(dir, name);
}

/** Short name of a state folder by its real path. */
export function stateFolderId(dir: string): string {
  return createHash('sha256').update(dir).digest('hex').slice(0, 16);
}

/**
 * Makes the folder ready: there (readable by its owner only), on a disk of this host, with its ports chosen.
 * @throws OptionError when it cannot be made or lies on a network file system.
 * @throws ServerError when its `ports.json` is damaged.
 */
export async function openStateFolder(dir: string, fileSystemOf = networkFileSystem): Promise<StateFolder> {
  const real = await mkdir(dir, { recursive: true, mode: 0o700 })
    .then(() => realpath(dir))
    .catch((error: unknown) => {
      throw new OptionError({
        what: `cannot make the state folder: ${(error as Error).message}`,
        where: dir,
        next: 'Set VIRNUCPRO_STATE_DIR to a folder on a local disk that you may write to',
        cause: error,
      });
    });
  const network = await fileSystemOf(real);
  if (network !== undefined) {
    throw new OptionError({
      what: `the state folder lies on a network file system, ${network}, where two hosts could open one database`,
      where: real,
      next: 'Set VIRNUCPRO_STATE_DIR to a folder on a disk of this host, e.g. under /var/tmp or the scratch disk of the node',
    });
  }
  return { dir: real, id: stateFolderId(real), ports: await choosePorts(stateFile(real, 'ports.json')) };
}
