import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The original's two tables, in a sample's `<stem>_merged`. */
export const ORIGINAL_TABLES = ['prediction_results.txt', 'prediction_results_highestscore.csv'] as const;

/** Our own tables of a sample, which must be the same bytes however many lanes made them. */
const OWN_TABLES = [
  'accounting.tsv',
  'contigs.tsv',
  'frames.parquet',
  'viral_regions.bed',
  'viral_regions.gff3',
  'viral.fa',
  'viral_regions.fa',
];

/** Every table of the sample in `folder`, one after the other. */
export async function tableBytes(folder: string, stem: string): Promise<Buffer> {
  const files = [...ORIGINAL_TABLES.map((name) => path.join(`${stem}_merged`, name)), ...OWN_TABLES];
  return Buffer.concat(await Promise.all(files.map((file) => readFile(path.join(folder, file)))));
}

/** A result table as text cells: its header and its rows. */
export interface ResultTable {
  header: string[];
  rows: string[][];
}

/** Reads a TAB separated table; pandas' quotes are taken off. */
export async function readTable(file: string): Promise<ResultTable> {
  const text = await readFile(file, 'utf8');
  assert.ok(text.endsWith('\n'), `${file} ends in mid-line`);
  const [header, ...rows] = text.slice(0, -1).split('\n').map(toCells);
  return { header: header!, rows };
}

function toCells(line: string): string[] {
  return line.split('\t').map((cell) => (/^".*"$/.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell));
}

/**
 * Compares two prediction_results.txt or two prediction_results_highestscore.csv: ids (and their order) and labels
 * equal, scores within `tolerance`.
 * @returns the largest score difference.
 */
export async function compareResults(actualFile: string, expectedFile: string, tolerance = 1e-5): Promise<number> {
  const actual = await readTable(actualFile);
  const expected = await readTable(expectedFile);
  const words = (table: ResultTable): string[] => table.rows.map((row) => row.slice(0, 2).join('\t'));
  assert.deepEqual(actual.header, expected.header);
  assert.deepEqual(words(actual), words(expected), `ids or labels of ${actualFile} differ from ${expectedFile}`);
  let largest = 0;
  expected.rows.forEach((row, i) => {
    for (const column of [2, 3]) {
      const difference = Math.abs(Number(actual.rows[i]![column]) - Number(row[column]));
      const where = `${row[0]} ${expected.header[column]}: ${actual.rows[i]![column]}, expected ${row[column]}`;
      assert.ok(difference <= tolerance, where);
      largest = Math.max(largest, difference);
    }
  });
  return largest;
}
