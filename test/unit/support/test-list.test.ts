import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

/** Rows of the table in test/README.md: number, file and title. */
async function listed(): Promise<{ number: number; file: string; title: string }[]> {
  const text = await readFile('test/README.md', 'utf8');
  return [...text.matchAll(/^\|[^|]*\| +(\d+) +\| (\S+) +\| (.*?) +\|$/gm)].map(([, number, file, title]) => ({
    number: Number(number),
    file: file!,
    title: title!,
  }));
}

describe('test/README.md', () => {
  it('lists a test for each of the 17 areas, by its file and title', async () => {
    const rows = await listed();
    assert.deepEqual(
      rows.map(({ number }) => number),
      Array.from({ length: 17 }, (_, i) => i + 1),
    );
    for (const { file, title } of rows) {
      const source = await readFile(`test/${file}`, 'utf8');
      const titles = [...source.matchAll(/\bit\(\s*(['"`])(.*?)\1,/gs)].map((match) => match[2]!);
      assert.ok(
        titles.some((found) => found.includes(title)),
        `${file} has no test called "${title}"`,
      );
    }
  });
});
