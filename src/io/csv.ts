import { InputError } from '../contract/failures.js';

/** One record of a CSV file. */
export interface CsvRecord {
  /** Line that it starts on, from 1. */
  line: number;
  fields: string[];
}

/** A field with what ends it: a comma, a line end or the end of the text. Quoted fields double their quotes. */
const FIELD = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;

/** Longest text: a hundred thousand samples. Well below what a regular expression can look back on. */
const LONGEST_TEXT = 1 << 24;
/** Longest field, in UTF-16 units: 16 times the longest path. */
const LONGEST_FIELD = 1 << 16;
const MOST_FIELDS = 1000;

/**
 * The records of a CSV text as RFC 4180 has them, also with `\n` alone; a byte order mark and blank lines are skipped.
 * @throws InputError naming file and line of a quote that is not closed or stands inside an unquoted field, and for a
 * text, field or record that is larger than any sheet's.
 */
export function parseCsv(text: string, file: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let record: CsvRecord = { line: 1, fields: [] };
  let line = 1;
  const tooLarge = (what: string): InputError =>
    new InputError({
      what,
      where: `${file}, line ${line}`,
      next: 'Check that this is the sheet; split a very long one',
    });
  if (text.length > LONGEST_TEXT) throw tooLarge(`a sheet of more than ${LONGEST_TEXT} characters`);
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
    if ((quoted ?? plain).length > LONGEST_FIELD) throw tooLarge(`a field of more than ${LONGEST_FIELD} characters`);
    if (record.fields.length === MOST_FIELDS) throw tooLarge(`a line with more than ${MOST_FIELDS} fields`);
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
