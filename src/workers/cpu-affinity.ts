import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { DeviceError } from '../contract/failures.js';

const run = promisify(execFile);

/** Sets a process's CPUs and becomes it; of util-linux, so on every distribution. */
const TASKSET = 'taskset';

/** Where Linux says which core and socket a CPU belongs to. */
const TOPOLOGY = '/sys/devices/system/cpu';

/**
 * The CPUs that this process may use, as `sched_getaffinity(2)` counts them; those of one socket, and of one core, side by
 * side, so that neighbours share caches and memory.
 * @throws DeviceError where processes cannot be bound: without Linux's taskset.
 */
export async function ownCpus(topology = TOPOLOGY): Promise<number[]> {
  const places = await Promise.all(
    (await allowedCpus()).map(async (cpu) => ({ cpu, ...(await place(topology, cpu)) })),
  );
  return places.sort((a, b) => a.socket - b.socket || a.core - b.core || a.cpu - b.cpu).map(({ cpu }) => cpu);
}

/**
 * Gives each lane CPUs of its own, as many as it has threads; where there are fewer CPUs than threads, lanes share them in turn.
 * @param threads of each lane.
 * @param cpus as {@link ownCpus} orders them.
 */
export function shareCpus(threads: readonly number[], cpus: readonly number[]): number[][] {
  let next = 0;
  return threads.map((count) => {
    const own = Array.from({ length: Math.min(count, cpus.length) }, (_, i) => cpus[(next + i) % cpus.length]!);
    next += count;
    return own;
  });
}

/** The command that is `program` with all its threads on `cpus`, under the same process id. */
export function boundTo(cpus: readonly number[], program: string): string[] {
  return [TASKSET, '--cpu-list', cpus.join(','), program];
}

async function allowedCpus(): Promise<number[]> {
  const { stdout } = await run(TASKSET, ['--cpu-list', '--pid', String(process.pid)]).catch((error: Error) => {
    throw new DeviceError({
      what: `lanes cannot be bound to CPUs here: ${error.message.trim()}`,
      next: "Leave --cpu-bind out, or install Linux's taskset (util-linux)",
    });
  });
  return cpuList(stdout.slice(stdout.lastIndexOf(':') + 1));
}

/** `0-2,8` as 0, 1, 2, 8. */
function cpuList(text: string): number[] {
  return text.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}

/** Containers may hide the topology: then numbers alone order the CPUs. */
async function place(topology: string, cpu: number): Promise<{ socket: number; core: number }> {
  const read = (name: string): Promise<number> =>
    readFile(path.join(topology, `cpu${cpu}`, 'topology', name), 'utf8').then(Number, () => 0);
  return { socket: await read('physical_package_id'), core: await read('core_id') };
}
