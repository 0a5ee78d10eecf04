import { readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * A file of this process's own cgroup (v2; groups above it are not looked at).
 * @param root folder that holds `proc` and `sys`; tests have their own.
 * @returns empty where the system does not say.
 */
export async function readCgroup(name: string, root = '/'): Promise<string> {
  const [, group] = /^0::(.*)$/m.exec(await readIfThere(path.join(root, 'proc/self/cgroup'))) ?? [];
  return readIfThere(path.join(root, 'sys/fs/cgroup', group ?? '', name));
}

/** Empty for a file that cannot be read. */
export function readIfThere(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
