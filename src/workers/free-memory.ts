import { freemem } from 'node:os';
import path from 'node:path';
import { readCgroup, readIfThere } from './cgroup.js';

/**
 * Bytes that processes here may still take: of the machine, and of this process's own cgroup, where the page cache does
 * not count as taken. Node's own figure counts it, so after reading a large model nothing seems left in a container.
 * @param root folder that holds `proc` and `sys`; tests have their own.
 */
export async function freeMemory(root = '/'): Promise<number> {
  const available = number(await readIfThere(path.join(root, 'proc/meminfo')), /^MemAvailable:\s+(\d+) kB$/m);
  const machine = available === undefined ? freemem() : available * 1024;
  const limit = number(await readCgroup('memory.max', root), /^(\d+)$/m);
  const used = number(await readCgroup('memory.current', root), /^(\d+)$/m);
  if (limit === undefined || used === undefined) return machine;
  const stat = await readCgroup('memory.stat', root);
  // Not `file`, which counts shared memory and tmpfs, too.
  const cache = (number(stat, /^active_file (\d+)$/m) ?? 0) + (number(stat, /^inactive_file (\d+)$/m) ?? 0);
  return Math.min(machine, limit - used + cache);
}

function number(text: string, pattern: RegExp): number | undefined {
  const [, digits] = pattern.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
