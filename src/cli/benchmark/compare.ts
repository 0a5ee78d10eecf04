import { OptionError } from '../../contract/failures.js';
import { median } from '../statistics.js';
import type { Suite } from './measurement.js';
import { type BenchmarkReport, figure, markdownTable } from './report.js';

/** A figure that two reports have. */
export interface Change {
  name: string;
  unit: string;
  before: number;
  now: number;
  /** How much worse it is, in percent of before; negative: better. */
  worsePercent: number;
}

/** Two reports side by side. */
export interface Comparison {
  before: string;
  changes: Change[];
  /** Those that are worse by more than was allowed. */
  regressions: Change[];
  /** What makes the comparison doubtful. */
  notes: string[];
}

/** What has to be the same in two reports. */
export type Measured = Pick<BenchmarkReport, 'dataSize' | 'threads' | 'models'>;

/**
 * Before hours of measuring: could the result be compared with an earlier report?
 * @throws OptionError when that measured different things.
 */
export function assertComparable(before: BenchmarkReport, now: Measured, suites: readonly Suite[]): void {
  for (const key of ['dataSize', 'threads', 'models'] as const) {
    const [old, today] = [before[key], now[key]].map((value) => JSON.stringify(value));
    if (old === today) continue;
    throw new OptionError({
      what: `the earlier report is of other ${key}: ${old}, not ${today}`,
      next: 'Run the benchmark with the options of the earlier report',
    });
  }
  if (before.results.some(({ suite }) => suites.includes(suite))) return;
  throw new OptionError({ what: 'the earlier report has no figure of these suites', next: 'Run the same suites' });
}

/**
 * The figures that both reports have, by their medians.
 * @param failAbove percent that a figure may be worse.
 * @throws OptionError when there are none.
 */
export function compareReports(before: BenchmarkReport, now: BenchmarkReport, failAbove: number): Comparison {
  const changes = now.results.flatMap(({ suite, name, unit, better, runs }): Change[] => {
    const old = before.results.find((other) => other.suite === suite && other.name === name);
    if (old === undefined) return [];
    const [was, is] = [median(old.runs), median(runs)];
    const worsePercent = 100 * (better === 'lower' ? is / was - 1 : was / is - 1);
    return [{ name: `${suite}: ${name}`, unit, before: was, now: is, worsePercent }];
  });
  if (changes.length === 0) {
    throw new OptionError({ what: 'the reports have no figure in common', next: 'Name the models as before' });
  }
  const { machine } = before;
  const isSame = JSON.stringify(machine) === JSON.stringify(now.machine);
  return {
    before: before.created,
    changes,
    regressions: changes.filter((change) => change.worsePercent > failAbove),
    notes: isSame ? [] : [`the earlier report is of another machine: ${machine.cpu}, ${machine.cores} cores`],
  };
}

/** The comparison for people. */
export function comparisonMarkdown({ before, changes, regressions, notes }: Comparison): string {
  return [
    `# Compared with ${before.slice(0, 16).replace('T', ' ')} UTC`,
    '',
    ...notes.map((note) => `**Note**: ${note}\n`),
    markdownTable([
      ['what', 'before', 'now', 'unit', 'change', ''],
      ...changes.map((change) => [
        change.name,
        figure(change.before),
        figure(change.now),
        change.unit,
        changeText(change),
        regressions.includes(change) ? 'regression' : '',
      ]),
    ]),
    '',
  ].join('\n');
}

/** `4.2 % worse`. */
export function changeText({ worsePercent }: Change): string {
  return `${Math.abs(worsePercent).toFixed(1)} % ${worsePercent > 0 ? 'worse' : 'better'}`;
}
