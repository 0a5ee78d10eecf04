import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** Writes one JSON value a line. Returns how many. */
export async function writeJsonLines(file: string, values: readonly unknown[]): Promise<number> {
  await writeFile(file, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
  return values.length;
}

/** Reads a file of {@link writeJsonLines}, lines `from` to `to` (excluded), counted from 0. */
export async function readJsonLines<T>(file: string, from = 0, to = Infinity): Promise<T[]> {
  const values: T[] = [];
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line >= from && line < to) values.push(JSON.parse(text) as T);
    line += 1;
  }
  return values;
}
