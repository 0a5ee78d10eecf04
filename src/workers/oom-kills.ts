import { readCgroup } from './cgroup.js';

let seen = oomKills();

/** True when the kernel has killed a process of this process's cgroup for lack of memory since this was last asked. */
export async function oomKilledSince(): Promise<boolean> {
  const before = await seen;
  seen = oomKills();
  return (await seen) > before;
}

/** Such kills so far; 0 where the system does not say. */
async function oomKills(): Promise<number> {
  const [, kills] = /^oom_kill (\d+)$/m.exec(await readCgroup('memory.events')) ?? [];
  return Number(kills ?? 0);
}
