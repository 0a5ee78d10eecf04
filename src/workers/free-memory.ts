import { readFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import path from 'node:path';

/**
 * Bytes that processes here may still take: of the machine, and of this process's own cgroup (v2; limits of groups above
 * it are not looked at), where the page cache does not count as taken. Node's own figure counts it, so after reading a large model nothing seems left in a container.
 * @param root folder that holds `proc` and `sys`; tests have their own.
 */
export async function freeMemory(root = '/'): Promise<number> {
  const machine = await field(path.join(root, 'proc/meminfo'), /^MemAvailable:\s+(\d+) kB$/m, 1024);
  const [, group] = /^0::(.*)$/m.exec(await read(path.join(root, 'proc/self/cgroup'))) ?? [];
  const folder = path.join(root, 'sys/fs/cgroup', group ?? '');
  const limit = await field(path.join(folder, 'memory.max'), /^(\d+)$/m);
  const used = await field(path.join(folder, 'memory.current'), /^(\d+)$/m);
  const stat = path.join(folder, 'memory.stat');
  // Not `file`, which counts shared memory and tmpfs, too.
  const active = (await field(stat, /^active_file (\d+)$/m)) ?? 0;
  const inactive = (await field(stat, /^inactive_file (\d+)$/m)) ?? 0;
  const inGroup = limit === undefined || used === undefined ? Infinity : limit - used + active + inactive;
  return Math.min(machine ?? freemem(), inGroup);
}

async function field(file: string, pattern: RegExp, unit = 1): Promise<number | undefined> {
  const [, digits] = pattern.exec(await read(file)) ?? [];
  return digits === undefined ? undefined : Number(digits) * unit;
}

/** Empty where the system does not say. */
function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
