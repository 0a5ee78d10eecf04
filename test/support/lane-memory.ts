import { readFile } from 'node:fs/promises';
import type { Stage } from '../../src/contract/stages.js';
import { stateFile } from '../../src/server/state-folder.js';

/** Finished batches over which a lane's memory is taken: it goes up and down with every call. */
const WINDOW = 10;

interface BatchLine {
  msg: string;
  pid: number;
  workflowId: string;
  stage: Stage;
  rssBytes: number;
}

/** Resident memory, in MB, that the one lane of a run's stage had after each of its batches, as it logged it. */
export async function laneMemory(stateDir: string, runId: string, stage: Stage): Promise<number[]> {
  const lines = (await readFile(stateFile(stateDir, 'agent.log'), 'utf8')).split('\n');
  const batches = lines
    .filter((line) => line.includes('"batch embedded"'))
    .map((line) => JSON.parse(line) as BatchLine)
    .filter((line) => line.workflowId.startsWith(`${runId}/`) && line.stage === stage);
  const processes = new Set(batches.map(({ pid }) => pid));
  if (processes.size !== 1) throw new Error(`${processes.size} processes served ${stage}, not one`);
  return batches.map(({ rssBytes }) => rssBytes / 2 ** 20);
}

/** The middle of the ten batches from the `done`-th on. */
export function memoryAfter(done: number, megabytes: readonly number[]): number {
  const window = megabytes.slice(done - 1, done - 1 + WINDOW).sort((a, b) => a - b);
  if (window.length < WINDOW) throw new Error(`the lane finished ${megabytes.length} batches, not ${done + WINDOW}`);
  return window[WINDOW / 2]!;
}
