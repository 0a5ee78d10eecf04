import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** How many processes of this process's cgroup the kernel has killed for lack of memory; 0 where it does not say. */
export async function oomKills(): Promise<number> {
  try {
    const [, group] = /^0::(.*)$/m.exec(await readFile('/proc/self/cgroup', 'utf8')) ?? [];
    const events = await readFile(path.join('/sys/fs/cgroup', group ?? '', 'memory.events'), 'utf8');
    return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
