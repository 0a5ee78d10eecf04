import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** Why no limit can be set here; undefined when it can. */
export function noMemoryLimits(): string | undefined {
  if (process.platform !== 'linux') return 'memory limits of running processes are Linux only';
  return spawnSync('prlimit', ['--version']).error === undefined ? undefined : 'prlimit (util-linux) is not installed';
}

/** Bytes of private memory that a process may write to: what RLIMIT_DATA counts. 0 when it is gone. */
export function privateBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^VmData:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** The kernel refuses this process more private memory than that. */
export function limitMemory(pid: number, bytes: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--data=${bytes}`], { stdio: 'ignore' });
}

/** Calls `look` often until `over` is aborted. */
export async function meanwhile(look: () => void, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    look();
    await sleep(POLL_MS);
  }
}
