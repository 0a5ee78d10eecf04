import { InputError } from '../contract/failures.js';

/** One record of a CSV file. */
export interface CsvRecord {
  /** Line that it starts on, from 1. */
  line: number;
  fields: string[];
}

/** A field with what ends it: a comma, a line end or the end of the text. Quoted fields double their quotes. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;

/**
 * The records of a CSV text as RFC 4180 has them, also with `\n` alone; a byte order mark and blank lines are skipped.
 * @throws InputError naming file and line of a quote that is not closed or stands inside an unquoted field.
 */
export function parseCsv(text: string, file: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let record: CsvRecord = { line: 1, fields: [] };
  let line = 1;
  for (let at = text.startsWith('\uFEFF') ? 1 : 0; at < text.length || record.fields.length > 0;) {
    FIELD.lastIndex = at;
    const match = FIELD.exec(text);
    if (match === null) {
      throw new InputError({
        what: 'a quote that is not closed, not doubled, or not at the start of its field',
        where: `${file}, line ${line}`,
        next: 'Quote the whole field and double the quotes inside it: "a ""b"" c"',
      });
    }
    const [whole, quoted, plain, end] = match as unknown as [string, string | undefined, string, string];
    record.fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.match(/\r\n|\n|\r/g)?.length ?? 0;
    at = FIELD.lastIndex;
    if (end === ',') continue;
    const empty = record.fields.length === 1 && quoted === undefined && plain.trim() === '';
    if (!empty) records.push(record);
    record = { line, fields: [] };
  }
  return records;
}
