import { OptionError } from '../../contract/failures.js';
import { median } from '../statistics.js';
import { type BenchmarkReport, figure, markdownTable } from './report.js';

/**
 * Points by which a figure in percent may always be worse: of a share near 0, such as a lane's idle time, a hiccup of the
 * machine is a large part.
 */
const POINTS_ALLOWED = 1;

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

/**
 * The figures that both reports have, by their medians. A note names those that the later one lacks.
 * @param failAbove percent that a figure may be worse; one in percent itself by {@link POINTS_ALLOWED} in any case.
 * @throws OptionError when they measured different things.
 */
export function compareReports(before: BenchmarkReport, now: BenchmarkReport, failAbove: number): Comparison {
  for (const key of ['dataSize', 'threads', 'models'] as const) {
    const [old, today] = [before[key], now[key]].map((value) => JSON.stringify(value));
    if (old === today) continue;
    throw new OptionError({
      what: `the reports are of different ${key}: ${old} and ${today}`,
      next: 'Run the benchmark with the options of the earlier report',
    });
  }
  const changes: Change[] = [];
  const missing: string[] = [];
  for (const { suite, name, unit, better, runs } of before.results) {
    const what = `${suite}: ${name}`;
    const was = valueOf(runs);
    const is = valueOf(now.results.find((other) => other.suite === suite && other.name === name)?.runs ?? []);
    if (Number.isNaN(was)) continue;
    if (Number.isNaN(is)) missing.push(what);
    else {
      const worsePercent = 100 * (better === 'lower' ? is / was - 1 : was / is - 1);
      changes.push({ name: what, unit, before: was, now: is, worsePercent });
    }
  }
  if (changes.length === 0) {
    throw new OptionError({ what: 'the reports have no figure in common', next: 'Run the same suites' });
  }
  const { machine } = before;
  const isSame = JSON.stringify(machine) === JSON.stringify(now.machine);
  return {
    before: before.created,
    changes,
    regressions: changes.filter((change) => change.worsePercent > failAbove && !isWithinPoints(change)),
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

function isWithinPoints({ unit, before, now }: Change): boolean {
  return unit === '%' && Math.abs(now - before) <= POINTS_ALLOWED;
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
