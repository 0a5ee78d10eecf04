import { setTimeout as sleep } from 'node:timers/promises';
import { PROGRESS_QUERY, type StageProgress } from '../../src/contract/progress.js';
import type { Stage } from '../../src/contract/stages.js';
import type { WatchedRun } from './faults/watched-run.js';
import { rssMB } from './processes.js';

/** Finished batches over which a lane's memory is taken: it goes up and down with every call. */
const WINDOW = 10;

/** A lane's resident memory when it had finished so many batches. */
export interface MemoryAt {
  pid: number;
  done: number;
  megabytes: number;
}

/** Watches the one lane of `stage` from when it is up until the stage has none any more. */
export async function watchLaneMemory(run: WatchedRun, stage: Stage): Promise<MemoryAt[]> {
  const seen: MemoryAt[] = [];
  for (;;) {
    const [slice] = await run.slices(stage);
    const lane = (await slice?.query<StageProgress>(PROGRESS_QUERY))?.lanes[0];
    if (lane === undefined && seen.length > 0) return seen;
    const megabytes = lane && rssMB(lane.pid);
    if (megabytes !== undefined) seen.push({ pid: lane!.pid, done: lane!.done, megabytes });
    await sleep(50);
  }
}

/** The middle of what was seen from `done` batches on. */
export function memoryAfter(done: number, seen: readonly MemoryAt[]): number {
  const inWindow = seen.filter((one) => one.done >= done && one.done < done + WINDOW).map(({ megabytes }) => megabytes);
  if (inWindow.length === 0) throw new Error(`nobody looked between ${done} and ${done + WINDOW} batches`);
  return inWindow.sort((a, b) => a - b)[inWindow.length >> 1]!;
}
