import { homedir } from 'node:os';
import path from 'node:path';

/**
 * Where this user's embedded Temporal keeps its database, ports and logs: `VIRNUCPRO_STATE_DIR`, else `virnucpro` in
 * the state folder of the XDG base directory specification.
 */
export function stateFolderPath(env: NodeJS.ProcessEnv = process.env): string {
  return path.resolve(
    env.VIRNUCPRO_STATE_DIR || path.join(env.XDG_STATE_HOME || path.join(homedir(), '.local', 'state'), 'virnucpro'),
  );
}

/**
 * Where this user keeps what can be fetched or made again: `VIRNUCPRO_CACHE_DIR`, else `virnucpro` in the cache folder
 * of the XDG base directory specification.
 */
export function cacheFolderPath(env: NodeJS.ProcessEnv = process.env): string {
  return path.resolve(env.VIRNUCPRO_CACHE_DIR || path.join(sharedCacheFolderPath(env), 'virnucpro'));
}

/** The user's cache folder, which other programs (the Hugging Face hub's) use, too. */
export function sharedCacheFolderPath(env: NodeJS.ProcessEnv = process.env): string {
  return env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
}
