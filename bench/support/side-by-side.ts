import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { thisMachine } from '../../src/cli/benchmark/machine.js';
import { version } from '../../src/version.js';
import { commit } from './commit.js';
import { median, round } from './figures.js';

/** What one run of a side took. */
export interface Cost {
  /** Wall-clock time. */
  seconds: number;
  /** Processor time of all its threads and processes: says more than wall time on a machine that others use. */
  cpuSeconds: number;
  /** Largest resident memory, where the side is a process of its own. */
  peakMB?: number;
}

/** One of those that are compared: does the work once and says what it took. Ours is named first. */
export type Sides = Record<string, () => Promise<Cost>>;

/** A line of a benchmark's table: the median costs of a side, how many times ours they are, and what each run cost. */
export type Row = Record<string, string | number> & { costs: readonly Cost[] };

/** What `work` takes in this process. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: (user + system) / 1e6 };
}

/** Runs all sides in turn, `runs` times over, so that all see the same ups and downs of the machine. */
export async function sideBySide(work: string, runs: number, sides: Sides): Promise<Row[]> {
  const costs = Object.keys(sides).map((name) => ({ name, costs: [] as Cost[] }));
  for (let run = 0; run < runs; run++) {
    for (const side of costs) {
      const cost = await sides[side.name]!();
      side.costs.push(cost);
      process.stderr.write(`${work}, run ${run + 1}, ${side.name}: ${JSON.stringify(cost)}, load ${load()}\n`);
    }
  }
  const medians = costs.map(({ name, costs }) => ({
    name,
    seconds: median(costs.map(({ seconds }) => seconds)),
    cpu: median(costs.map(({ cpuSeconds }) => cpuSeconds)),
    peak: median(costs.map(({ peakMB = NaN }) => peakMB)),
    costs,
  }));
  const ours = medians[0]!;
  return medians.map(({ name, seconds, cpu, peak, costs }) => ({
    work,
    side: name,
    runs,
    'wall s': round(seconds),
    'CPU s': round(cpu),
    ...(Number.isNaN(peak) ? {} : { 'peak MB': Math.round(peak) }),
    'x wall': round(seconds / ours.seconds),
    'x CPU': round(cpu / ours.cpu),
    load: load(),
    costs,
  })) as unknown as Row[];
}

/** Fewer runs are a look, and replace no result. */
const RUNS_TO_KEEP = 5;

/** Prints the table; one of five runs is kept with each run, machine, versions and checks as `bench/results/<name>.json`. */
export async function report(name: string, rows: Row[], facts: Record<string, unknown>): Promise<void> {
  console.table(rows.map(({ costs: _, ...row }) => row));
  if (rows.some(({ costs }) => costs.length < RUNS_TO_KEEP)) return console.log('Fewer than five runs: not kept');
  const versions = { 'virnucpro-temporal': version, commit: commit(), node: process.versions.node };
  const result = { name, date: new Date().toISOString(), machine: thisMachine(), versions, ...facts, rows };
  await mkdir('bench/results', { recursive: true });
  await writeFile(`bench/results/${name}.json`, `${JSON.stringify(result, null, 2)}\n`);
}

/** Processes that wanted to run in the last minute. */
function load(): number {
  return round(loadavg()[0]!);
}
