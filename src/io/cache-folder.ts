import { homedir } from 'node:os';
import path from 'node:path';

/** Where models and other things that can be made again are kept: `virnucpro` in $XDG_CACHE_HOME or ~/.cache. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return path.join(userCacheFolder(env), 'virnucpro');
}

/** $XDG_CACHE_HOME or ~/.cache, which other programs use too. */
export function userCacheFolder(env: NodeJS.ProcessEnv): string {
  return env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache');
}
