import assert from 'node:assert/strict';
import { InputError } from '../../../src/contract/failures.js';
import { parseCsv } from '../../../src/io/csv.js';

describe('parseCsv', () => {
  const fields = (text: string): string[][] => parseCsv(text, 'sheet.csv').map((record) => record.fields);

  it('reads RFC 4180: quoted commas, quotes and line breaks, CRLF or LF, with or without a last line end', () => {
    assert.deepEqual(fields('a,b\r\n"x, ""y""","two\nlines"\r\n'), [
      ['a', 'b'],
      ['x, "y"', 'two\nlines'],
    ]);
    assert.deepEqual(fields('\uFEFFa,b\n,\n1,'), [
      ['a', 'b'],
      ['', ''],
      ['1', ''],
    ]);
    assert.deepEqual(fields(''), []);
  });

  it('counts lines over quoted line breaks and skips blank ones', () => {
    assert.deepEqual(parseCsv('a\n\n"b\nc"\nd\n""\n \t\r\ne\n', 'f'), [
      { line: 1, fields: ['a'] },
      { line: 3, fields: ['b\nc'] },
      { line: 5, fields: ['d'] },
      { line: 6, fields: [''] },
      { line: 8, fields: ['e'] },
    ]);
  });

  it('names the line of a quote that is out of place', () => {
    for (const text of ['a,b\n"x,1\n', 'a,b\n"x"y,1\n', 'a,b\nx"y",1\n']) {
      assert.throws(
        () => parseCsv(text, 'sheet.csv'),
        (error) => error instanceof InputError && error.where === 'sheet.csv, line 2',
      );
    }
  });

  it('refuses what is larger than any sheet, quoted or not', () => {
    const huge = 'x'.repeat(2 ** 16);
    for (const text of [
      `a\n${huge}y\n`,
      `a\n"${huge}y"\n`,
      `a\n"${'""'.repeat(2 ** 15 + 1)}"\n`,
      `a\n${','.repeat(1000)}\n`,
    ]) {
      assert.throws(
        () => parseCsv(text, 'f'),
        (error) => error instanceof InputError && error.where === 'f, line 2' && error.what.length < 100,
      );
    }
    assert.equal(parseCsv(`${huge}\n`.repeat(255), 'f').length, 255);
    for (const text of [`"${'x'.repeat(2 ** 24 - 2)}"`, 'x\n'.repeat(2 ** 23 + 1)])
      assert.throws(() => parseCsv(text, 'f'), InputError);
  });
});
