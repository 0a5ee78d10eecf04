import type { Device } from '../contract/devices.js';
import { shareCpus } from './cpu-affinity.js';

/**
 * `lanes` CPU devices that share `threads` out, the first ones taking the remainder; at least one thread each.
 * @param cores binds each to CPUs of its own among these (see ownCores).
 */
export function cpuDevices(lanes: number, threads: number, cores?: readonly number[][]): Device[] {
  const shares = Array.from({ length: lanes }, (_, index) =>
    Math.max(1, Math.floor(threads / lanes) + (index < threads % lanes ? 1 : 0)),
  );
  const bound = cores && shareCpus(shares, cores);
  return shares.map((share, index) => ({
    kind: 'cpu',
    index,
    threads: share,
    ...(bound && { cpus: bound[index]! }),
  }));
}
