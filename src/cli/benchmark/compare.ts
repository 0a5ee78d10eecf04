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
 * The figures that both reports have, by their medians. A note names those of the same suites that the later one lacks.
 * @param failAbove percent that a figure may be worse.
 * @throws OptionError when there are none.
 */
export function compareReports(before: BenchmarkReport, now: BenchmarkReport, failAbove: number): Comparison {
  const changes: Change[] = [];
  const missing: string[] = [];
  const suites = new Set(now.results.map(({ suite }) => suite));
  for (const { suite, name, unit, better, runs } of before.results) {
    const what = `${suite}: ${name}`;
    const was = valueOf(runs);
    const is = valueOf(now.results.find((other) => other.suite === suite && other.name === name)?.runs ?? []);
    if (Number.isNaN(was) || !suites.has(suite)) continue;
    if (Number.isNaN(is)) missing.push(what);
    else {
      const worsePercent = 100 * (better === 'lower' ? is / was - 1 : was / is - 1);
      changes.push({ name: what, unit, before: was, now: is, worsePercent });
    }
  }
  if (changes.length === 0) {
    throw new OptionError({ what: 'the reports have no figure in common', next: 'Name the models as before' });
  }
  const { machine } = before;
  const isSame = JSON.stringify(machine) === JSON.stringify(now.machine);
  return {
    before: before.created,
    changes,
    regressions: changes.filter((change) => change.worsePercent > failAbove),
    notes: [
      ...(isSame ? [] : [`the earlier report is of another machine: ${machine.cpu}, ${machine.cores} cores`]),
      ...(missing.length === 0 ? [] : [`no figure now for ${missing.join('; ')}`]),
    ],
  };
}

/** The median; NaN when there is no run, or one without a number. */
function valueOf(runs: readonly number[]): number {
  return runs.every(Number.isFinite) ? median(runs) : NaN;
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
