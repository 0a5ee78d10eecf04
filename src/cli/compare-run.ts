import { writeText } from '../io/tables.js';
import { RunComparison } from './compare/compare-runs.js';
import { comparisonJson, comparisonText, differencesCsv } from './compare/show.js';
import type { CompareOptions } from './options/compare-table.js';
import { interruption } from './run.js';

/**
 * Compares two folders of results, prints what was found and sets the exit code: 0 the same, 1 different.
 * @throws InputError for a folder or table that is not there or cannot be read; StorageError for the CSV file; Interrupted.
 */
export async function compare(a: string, b: string, { tolerance, csv, json }: CompareOptions): Promise<void> {
  const comparison = await RunComparison.open(a, b, tolerance);
  const rows = comparison.differentRows(interruption());
  if (csv !== undefined) await writeText(csv, differencesCsv(rows));
  else while (!(await rows.next()).done);
  console.log(json ? JSON.stringify(comparisonJson(comparison)) : comparisonText(comparison));
  process.exitCode = comparison.same ? 0 : 1;
}
