import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { jsonLines, writeJsonLines } from '../../../src/io/json-lines.js';
import { linesOf } from '../../../src/io/lines.js';
import { readTable } from '../../../src/io/read-table.js';

/** What Unicode takes for line breaks, and a letter of four bytes. */
const ODD = 'a\u2028b\u2029c\u0085d\u000be\u000cf\u{1f9a0}';

describe('lines of files', () => {
  let file: string;
  before(async () => (file = path.join(await mkdtemp(path.join(tmpdir(), 'vnp-lines-')), 'file')));
  after(() => rm(path.dirname(file), { recursive: true }));

  const lines = async (text: string): Promise<string[]> => {
    await writeFile(file, text);
    const found: string[] = [];
    for await (const line of linesOf(file)) found.push(line);
    return found;
  };

  it('end in LF or CR LF and nothing else, the last one perhaps not at all', async () => {
    assert.deepEqual(await lines(''), []);
    assert.deepEqual(await lines('\n\r\n'), ['', '']);
    assert.deepEqual(await lines(`${ODD}\r\nx\ry\n${ODD}`), [ODD, 'x\ry', ODD]);
  });

  it('are whole also where the file is read in several pieces', async () => {
    const long = [`${ODD.repeat(9_000)}`, '', 'z'.repeat(200_000)];
    assert.deepEqual(await lines(long.map((line) => `${line}\n`).join('')), long);
  });

  it('of tables and JSON hold ids with such characters', async () => {
    await writeFile(file, `contig\tlength\n${ODD}\t7\nb\t8\n`);
    const rows: unknown[] = [];
    for await (const row of readTable(file, ['contig'])) rows.push(row);
    assert.deepEqual(rows, [
      { contig: ODD, length: '7' },
      { contig: 'b', length: '8' },
    ]);
    await writeJsonLines(file, [{ name: ODD }, 2]);
    const values: unknown[] = [];
    for await (const value of jsonLines(file)) values.push(value);
    assert.deepEqual(values, [{ name: ODD }, 2]);
  });
});
