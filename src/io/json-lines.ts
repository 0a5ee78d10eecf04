import { writeFile } from 'node:fs/promises';
import { linesOf } from './lines.js';

/** Writes one JSON value a line. Returns how many. */
export async function writeJsonLines(file: string, values: readonly unknown[]): Promise<number> {
  await writeFile(file, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
  return values.length;
}

/** Reads a file of {@link writeJsonLines}, lines `from` to `to` (excluded), counted from 0. */
export async function readJsonLines<T>(file: string, from = 0, to = Infinity): Promise<T[]> {
  const values: T[] = [];
  for await (const value of jsonLines<T>(file, from)) {
    if (values.length === to - from) break;
    values.push(value);
  }
  return values;
}

/** The values of a file of {@link writeJsonLines}, one by one, from line `from` on, counted from 0. */
export async function* jsonLines<T>(file: string, from = 0): AsyncGenerator<T> {
  let line = 0;
  for await (const text of linesOf(file)) if (line++ >= from) yield JSON.parse(text) as T;
}
