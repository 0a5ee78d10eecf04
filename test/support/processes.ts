import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Process ids whose command line holds `text`. */
export function pidsOf(text: string): number[] {
  return execFileSync('ps', ['-ww', '-eo', 'pid=,stat=,command='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null && !match[2]!.startsWith('Z') && match[3]!.includes(text))
    .map((match) => Number(match![1]));
}

/** Waits until `holds`; milliseconds that it took. */
export async function eventually(holds: () => boolean | Promise<boolean>, limitMs: number): Promise<number> {
  const startedAt = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedAt > limitMs) throw new Error(`still not so after ${limitMs} ms: ${holds}`);
    await sleep(20);
  }
  return Math.round(performance.now() - startedAt);
}

/** Living children of a process. */
export function childrenOf(parent: number): { pid: number; command: string }[] {
  return execFileSync('ps', ['-ww', '-eo', 'pid=,ppid=,stat=,command='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null && Number(match[2]) === parent && !match[3]!.startsWith('Z'))
    .map((match) => ({ pid: Number(match![1]), command: match![4]! }));
}

/** What a process calls itself; empty when it has ended. Linux. */
export function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

/** CPUs that a process, with every thread of it, may run on; ascending. Linux. */
export function cpusOf(pid: number): number[] {
  const allowed = readdirSync(`/proc/${pid}/task`).map(
    (task) => /^Cpus_allowed_list:\s+(.+)$/m.exec(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))![1]!,
  );
  const [list, ...others] = new Set(allowed);
  if (others.length > 0) throw new Error(`threads of ${pid} run on different CPUs: ${allowed.join('; ')}`);
  return list!.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}

/** Resident memory of a process in megabytes; undefined when it has ended. Linux. */
export function rssMB(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}
