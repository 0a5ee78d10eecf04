import { readFile } from 'node:fs/promises';
import path from 'node:path';

let seen = oomKills();

/** True when the kernel has killed a process of this process's cgroup for lack of memory since this was last asked. */
export async function oomKilledSince(): Promise<boolean> {
  const before = await seen;
  seen = oomKills();
  return (await seen) > before;
}

/** Such kills so far; 0 where the system does not say. */
async function oomKills(): Promise<number> {
  try {
    const [, group] = /^0::(.*)$/m.exec(await readFile('/proc/self/cgroup', 'utf8')) ?? [];
    const events = await readFile(path.join('/sys/fs/cgroup', group ?? '', 'memory.events'), 'utf8');
    return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
