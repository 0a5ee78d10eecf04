import { InputError } from '../contract/failures.js';
import { toInputError } from './input.js';
import { linesOf } from './lines.js';

/** A row of a TAB separated table, by column. */
export type TableRow = Readonly<Record<string, string>>;

/**
 * The rows of a table that a run wrote, one by one.
 * @throws InputError when it is not there or lacks one of `columns`.
 */
export async function* readTable(file: string, columns: readonly string[]): AsyncGenerator<TableRow> {
  let header: string[] | undefined;
  for await (const cells of readLines(file)) {
    if (header === undefined) {
      header = cells;
      const missing = columns.filter((column) => !cells.includes(column));
      if (missing.length > 0) throw notOurs(`no column ${missing.join(', ')}`, file);
      continue;
    }
    const names = header;
    yield Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
  }
  if (header === undefined) throw notOurs('the table is empty', file);
}

/**
 * The lines of a TAB separated file, as their cells.
 * @throws InputError when it is not there or cannot be read.
 */
export async function* readLines(file: string): AsyncGenerator<string[]> {
  try {
    for await (const line of linesOf(file)) yield line.split('\t');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw notOurs('no such file', file);
    throw toInputError(error, file);
  }
}

/** An id of prediction_results_highestscore.csv, which pandas quotes when it holds a quote. */
export function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

function notOurs(what: string, where: string): InputError {
  return new InputError({
    what,
    where,
    next: 'Name a folder that this version of virnucpro wrote, or run predict again',
  });
}
