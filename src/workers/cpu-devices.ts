import type { Device } from '../contract/devices.js';

/** `lanes` CPU devices that share `threads` out, the first ones taking the remainder; at least one thread each. */
export function cpuDevices(lanes: number, threads: number): Device[] {
  return Array.from({ length: lanes }, (_, index) => ({
    kind: 'cpu',
    index,
    threads: Math.max(1, Math.floor(threads / lanes) + (index < threads % lanes ? 1 : 0)),
  }));
}
