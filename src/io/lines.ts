import { createReadStream } from 'node:fs';

/**
 * The lines of a UTF-8 file. A line ends in LF or CR LF and nothing else: names may hold what Unicode, and with it Node's
 * readline, takes for a line break, too (U+2028).
 * @throws the file system's error.
 */
export async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of createReadStream(file, 'utf8') as AsyncIterable<string>) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  if (rest !== '') yield rest;
}
