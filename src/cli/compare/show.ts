import type { DifferentRow, Tally } from './compare-rows.js';
import type { RunComparison } from './compare-runs.js';
import type { TableName } from './score-tables.js';

/** Samples that differ, and names, that the text lists; --json has all. */
const SHOWN = 20;

/** A comparison as a short table: what differs by sample if there are several, the sums, and the verdict. */
export function comparisonText(comparison: RunComparison): string {
  const { folders, samples, totals, tolerance, samplesOnlyInA, samplesOnlyInB } = comparison;
  const different = samples.filter(({ tallies }) => !tallies.frames.same || !tallies.chunks.same);
  const bySample = samples.length === 1 ? [] : different;
  const rows = [
    [
      '',
      'in both',
      'only in A',
      'only in B',
      'label changes',
      `over ${tolerance}`,
      'max difference',
      'mean difference',
    ],
    ...bySample
      .slice(0, SHOWN)
      .flatMap(({ sample, tallies }) => [
        cells(`${sample} frames`, tallies.frames),
        cells(`${sample} chunks`, tallies.chunks),
      ]),
    cells(samples.length === 1 ? 'frames' : 'all frames', totals.frames),
    cells(samples.length === 1 ? 'chunks' : 'all chunks', totals.chunks),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const hidden = bySample.length - SHOWN;
  return [
    `A  ${folders.a}`,
    `B  ${folders.b}`,
    ...(hidden > 0 ? [`${bySample.length} samples differ; the first ${SHOWN} of them, and all together:`] : []),
    ...rows.map(([name, ...numbers]) =>
      [name!.padEnd(widths[0]!), ...numbers.map((number, i) => number.padStart(widths[i + 1]!))].join('  '),
    ),
    ...(samplesOnlyInA.length > 0 ? [`Samples only in A: ${someOf(samplesOnlyInA)}`] : []),
    ...(samplesOnlyInB.length > 0 ? [`Samples only in B: ${someOf(samplesOnlyInB)}`] : []),
    comparison.same ? `The same: all rows and labels, scores within ${tolerance}` : 'Different',
  ].join('\n');
}

/** A comparison for machines. */
export function comparisonJson(comparison: RunComparison): object {
  const { folders, tolerance, same, totals, samples, samplesOnlyInA, samplesOnlyInB } = comparison;
  return {
    same,
    tolerance,
    ...folders,
    frames: counts(totals.frames),
    chunks: counts(totals.chunks),
    samples: samples.map(({ sample, tallies }) => ({
      sample,
      frames: counts(tallies.frames),
      chunks: counts(tallies.chunks),
    })),
    samplesOnlyInA,
    samplesOnlyInB,
  };
}

/** The rows that differ as CSV (RFC 4180), with a header, piece by piece. */
export async function* differencesCsv(
  differences: AsyncIterable<{ sample: string; table: TableName; row: DifferentRow }>,
): AsyncGenerator<string> {
  yield 'sample,table,id,difference,label_a,label_b,p_other_a,p_other_b,p_virus_a,p_virus_b\n';
  for await (const { sample, table, row } of differences) {
    const { id, a, b } = row;
    const sides = [a?.label, b?.label, a?.scores?.[0], b?.scores?.[0], a?.scores?.[1], b?.scores?.[1]];
    yield `${[sample, table, id, kindOf(row), ...sides].map(csvCell).join(',')}\n`;
  }
}

function kindOf({ a, b }: DifferentRow): string {
  if (a === undefined) return 'only_in_b';
  if (b === undefined) return 'only_in_a';
  return a.label === b.label ? 'score' : 'label';
}

function csvCell(value: string | number | undefined): string {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cells(name: string, tally: Tally): string[] {
  const { rowsInBoth, rowsOnlyInA, rowsOnlyInB, labelChanges, scoresApart, rowsWithScores } = tally;
  const scored = rowsWithScores > 0 || rowsInBoth === 0;
  return [
    name,
    ...[rowsInBoth, rowsOnlyInA, rowsOnlyInB, labelChanges].map(String),
    ...(scored ? [scoresApart, tally.maxDifference, tally.meanDifference].map(short) : ['-', '-', '-']),
  ];
}

function counts(tally: Tally): object {
  const { rowsInBoth, rowsOnlyInA, rowsOnlyInB, labelChanges, rowsWithScores, scoresApart } = tally;
  const { maxDifference, meanDifference } = tally;
  const rows = { rowsInBoth, rowsOnlyInA, rowsOnlyInB, labelChanges };
  return { ...rows, rowsWithScores, scoresApart, maxDifference, meanDifference };
}

/** Three digits say enough of a difference; counts stay whole. */
function short(value: number): string {
  return Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(3))}`;
}

function someOf(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return `${names.slice(0, SHOWN).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
