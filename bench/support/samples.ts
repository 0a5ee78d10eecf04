import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readFasta } from '../../src/io/fasta.js';
import { readInput } from '../../src/io/input.js';
import { randomNumbers } from '../../test/support/faults/random.js';

const BASES = { from: 300, to: 2500 };

/**
 * Cuts small samples, of one to three contigs each, out of FASTA files at random places.
 * @returns a sample sheet.
 */
export async function cutSamples(sources: readonly string[], count: number, dir: string, seed = 1): Promise<string> {
  const records = await readAll(sources);
  const random = randomNumbers(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  await mkdir(dir, { recursive: true });
  const rows = ['sample,path'];
  for (let sample = 1; sample <= count; sample++) {
    const contigs = Array.from({ length: 1 + below(3) }, (_, i) => {
      const record = records[below(records.length)]!;
      const length = Math.min(record.length, BASES.from + below(BASES.to - BASES.from));
      const at = below(record.length - length + 1);
      return `>contig_${i + 1}\n${record.slice(at, at + length)}\n`;
    });
    const name = `sample-${String(sample).padStart(4, '0')}`;
    await writeFile(path.join(dir, `${name}.fa`), contigs.join(''));
    rows.push(`${name},${name}.fa`);
  }
  const sheet = path.join(dir, 'sheet.csv');
  await writeFile(sheet, rows.map((row) => `${row}\n`).join(''));
  return sheet;
}

async function readAll(sources: readonly string[]): Promise<string[]> {
  const records: string[] = [];
  for (const source of sources) {
    for await (const { sequence } of readFasta(readInput(source), source)) {
      if (sequence.length >= BASES.from) records.push(Buffer.from(sequence).toString('latin1'));
    }
  }
  return records;
}
