import { InputError } from '../../contract/failures.js';
import type { ScoreRow } from './score-tables.js';

/** A row that is not the same in both tables; undefined where it is missing. */
export interface DifferentRow {
  id: string;
  a: ScoreRow | undefined;
  b: ScoreRow | undefined;
}

/** What a comparison has counted so far. */
export class Tally {
  rowsInBoth = 0;
  rowsOnlyInA = 0;
  rowsOnlyInB = 0;
  labelChanges = 0;
  /** Rows in both with a score that differs by more than the tolerance. */
  scoresApart = 0;
  /** Rows in both that have scores on both sides. A row's difference is the larger one of its two scores'. */
  rowsWithScores = 0;
  maxDifference = 0;
  sumOfDifferences = 0;

  get same(): boolean {
    return this.rowsOnlyInA + this.rowsOnlyInB + this.labelChanges + this.scoresApart === 0;
  }

  get meanDifference(): number {
    return this.rowsWithScores === 0 ? 0 : this.sumOfDifferences / this.rowsWithScores;
  }

  add(other: Tally): this {
    this.rowsInBoth += other.rowsInBoth;
    this.rowsOnlyInA += other.rowsOnlyInA;
    this.rowsOnlyInB += other.rowsOnlyInB;
    this.labelChanges += other.labelChanges;
    this.scoresApart += other.scoresApart;
    this.rowsWithScores += other.rowsWithScores;
    this.maxDifference = Math.max(this.maxDifference, other.maxDifference);
    this.sumOfDifferences += other.sumOfDifferences;
    return this;
  }
}

/**
 * The rows of two tables that differ, paired by id and counted on the way. The tables are read side by side, and only rows
 * that wait for their other half are held: none for tables in one order, whatever their size.
 * @param tolerance largest difference of two scores that counts as none.
 * @throws InputError for an id that waits twice; what the tables throw.
 */
export async function* differentRows(
  a: AsyncIterable<ScoreRow>,
  b: AsyncIterable<ScoreRow>,
  tolerance: number,
  tally: Tally,
): AsyncGenerator<DifferentRow> {
  const waiting = { a: new Map<string, ScoreRow>(), b: new Map<string, ScoreRow>() };
  for await (const [side, row] of alternately(a, b)) {
    const others = waiting[side === 'a' ? 'b' : 'a'];
    const other = others.get(row.id);
    if (other === undefined) {
      hold(waiting[side], row);
      continue;
    }
    others.delete(row.id);
    const pair = side === 'a' ? { a: row, b: other } : { a: other, b: row };
    if (!count(pair, tolerance, tally)) yield { id: row.id, ...pair };
  }
  tally.rowsOnlyInA += waiting.a.size;
  tally.rowsOnlyInB += waiting.b.size;
  for (const row of waiting.a.values()) yield { id: row.id, a: row, b: undefined };
  for (const row of waiting.b.values()) yield { id: row.id, a: undefined, b: row };
}

/** Counts a row that is in both; whether it is the same there. */
function count({ a, b }: { a: ScoreRow; b: ScoreRow }, tolerance: number, tally: Tally): boolean {
  tally.rowsInBoth += 1;
  const sameLabel = a.label === b.label;
  if (!sameLabel) tally.labelChanges += 1;
  if (a.scores === undefined || b.scores === undefined) return sameLabel;
  const difference = Math.max(Math.abs(a.scores[0] - b.scores[0]), Math.abs(a.scores[1] - b.scores[1]));
  tally.rowsWithScores += 1;
  tally.sumOfDifferences += difference;
  tally.maxDifference = Math.max(tally.maxDifference, difference);
  if (difference <= tolerance) return sameLabel;
  tally.scoresApart += 1;
  return false;
}

function hold(waiting: Map<string, ScoreRow>, row: ScoreRow): void {
  if (waiting.has(row.id)) {
    throw new InputError({
      what: `the id ${row.id} stands twice in one table and elsewhere in the other, so its rows cannot be paired`,
      next: 'Give every record of the input a name of its own and run predict again',
    });
  }
  waiting.set(row.id, row);
}

/** A row of `a`, one of `b`, and so on; then the rest of the longer one. */
async function* alternately<T>(a: AsyncIterable<T>, b: AsyncIterable<T>): AsyncGenerator<['a' | 'b', T]> {
  const readers = [
    { side: 'a' as const, rows: a[Symbol.asyncIterator]() },
    { side: 'b' as const, rows: b[Symbol.asyncIterator]() },
  ];
  try {
    for (let open = readers; open.length > 0;) {
      for (const reader of open) {
        const next = await reader.rows.next();
        if (next.done) open = open.filter((other) => other !== reader);
        else yield [reader.side, next.value];
      }
    }
  } finally {
    for (const { rows } of readers) await rows.return?.();
  }
}
