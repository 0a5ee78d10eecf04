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
 * The CPUs that this process may use, as `sched_getaffinity(2)` counts them, by cores: of a core those that share it. Cores of
 * one socket are side by side, so that neighbours share caches and memory.
 * @throws DeviceError where processes cannot be bound: without Linux's taskset.
 */
export async function ownCores(topology = TOPOLOGY): Promise<number[][]> {
  const cores = new Map<string, Place & { cpus: number[] }>();
  for (const cpu of await allowedCpus()) {
    const place = await placeOf(topology, cpu);
    const key = `${place.socket} ${place.core}`;
    if (!cores.has(key)) cores.set(key, { ...place, cpus: [] });
    cores.get(key)!.cpus.push(cpu);
  }
  return [...cores.values()].sort((a, b) => a.socket - b.socket || a.core - b.core).map(({ cpus }) => cpus);
}

/**
 * Gives each lane CPUs of its own, as many as it has threads: one of each core while there are cores enough, else all of a core.
 * Where there are fewer CPUs than threads, lanes share them in turn.
 * @param threads of each lane.
 * @param cores as {@link ownCores} gives them.
 */
export function shareCpus(threads: readonly number[], cores: readonly number[][]): number[][] {
  const all = threads.reduce((sum, count) => sum + count, 0);
  const cpus = all <= cores.length ? cores.map(([first]) => first!) : cores.flat();
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

interface Place {
  socket: number;
  core: number;
}

/** Containers may hide the topology: then each CPU is a core. */
async function placeOf(topology: string, cpu: number): Promise<Place> {
  const read = (name: string, otherwise: number): Promise<number> =>
    readFile(path.join(topology, `cpu${cpu}`, 'topology', name), 'utf8').then(Number, () => otherwise);
  return { socket: await read('physical_package_id', 0), core: await read('core_id', cpu) };
}
