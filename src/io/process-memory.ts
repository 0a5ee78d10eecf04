import { readFile, writeFile } from 'node:fs/promises';

/** Writing this to a process's `clear_refs` makes its peak what it has now (proc(5)). */
const RESET_PEAK = '5';

/**
 * The most resident memory that this process has had, in bytes. Not `resourceUsage().maxRSS`, which starts with what
 * its parent had; that is taken where the system does not say.
 */
export async function peakMemory(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return 1024 * (kilobytes === undefined ? process.resourceUsage().maxRSS : Number(kilobytes));
}

/** Lets {@link peakMemory} start anew from what the process has now; where the system refuses, nothing happens. */
export async function resetPeakMemory(): Promise<void> {
  await writeFile('/proc/self/clear_refs', RESET_PEAK).catch(() => {});
}
