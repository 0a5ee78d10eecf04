import path from 'node:path';
import { InputError } from '../../contract/failures.js';
import { type DifferentRow, Tally, differentRows } from './compare-rows.js';
import { findResults } from './find-results.js';
import { TABLES, type TableName, readScores } from './score-tables.js';

const TABLE_NAMES = Object.keys(TABLES) as TableName[];

type Tallies = Record<TableName, Tally>;

/** A sample that both runs have, with the folders of its tables. */
interface Pair {
  sample: string;
  a: string;
  b: string;
  tallies: Tallies;
}

/** Two runs side by side. What it counts is whole when {@link differentRows} has been read to its end. */
export class RunComparison {
  private constructor(
    readonly folders: { a: string; b: string },
    readonly tolerance: number,
    readonly samples: readonly Pair[],
    readonly samplesOnlyInA: readonly string[],
    readonly samplesOnlyInB: readonly string[],
  ) {}

  /**
   * Pairs the samples of two folders of results by name; the only sample of one with the only sample of the other,
   * whatever their names.
   * @param tolerance largest difference of two scores that counts as none.
   * @throws InputError when a folder has no results, or they have no sample in common.
   */
  static async open(a: string, b: string, tolerance: number): Promise<RunComparison> {
    const [inA, inB] = [await findResults(a), await findResults(b)];
    const [nameA, nameB] = [[...inA.keys()], [...inB.keys()]];
    const single = nameA.length === 1 && nameB.length === 1;
    const shared = single ? nameA : nameA.filter((name) => inB.has(name));
    if (shared.length === 0) {
      throw new InputError({
        what: `no sample in common: ${nameA.join(', ')} in ${a}; ${nameB.join(', ')} in ${b}`,
        next: 'Samples are paired by name: name folders of the same samples, or the folders of one sample each',
      });
    }
    const pairs = shared.map((sample): Pair => ({
      sample,
      a: inA.get(sample)!,
      b: inB.get(single ? nameB[0]! : sample)!,
      tallies: { frames: new Tally(), chunks: new Tally() },
    }));
    const without = (names: string[], other: Map<string, string>): string[] =>
      single ? [] : names.filter((name) => !other.has(name));
    return new RunComparison({ a, b }, tolerance, pairs, without(nameA, inB), without(nameB, inA));
  }

  get same(): boolean {
    return (
      this.samplesOnlyInA.length + this.samplesOnlyInB.length === 0 &&
      this.samples.every(({ tallies }) => tallies.frames.same && tallies.chunks.same)
    );
  }

  /** Over all samples that are in both. */
  get totals(): Tallies {
    const total = (table: TableName): Tally =>
      this.samples.reduce((sum, { tallies }) => sum.add(tallies[table]), new Tally());
    return { frames: total('frames'), chunks: total('chunks') };
  }

  /**
   * Every row that differs, sample by sample, frames first.
   * @throws InputError for a table that is not there or cannot be read; the signal's reason.
   */
  async *differentRows(signal?: AbortSignal): AsyncGenerator<{ sample: string; table: TableName; row: DifferentRow }> {
    for (const { sample, a, b, tallies } of this.samples) {
      for (const table of TABLE_NAMES) {
        const [rowsA, rowsB] = [a, b].map((folder) => readScores(path.join(folder, TABLES[table].file), table, signal));
        for await (const row of differentRows(rowsA!, rowsB!, this.tolerance, tallies[table])) {
          yield { sample, table, row };
        }
      }
    }
  }
}
