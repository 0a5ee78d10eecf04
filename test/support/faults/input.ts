import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { goldenCases } from '../golden.js';

/** The golden cases lambda and mixed in one FASTA file: at 500 bases some 80 frames. */
export async function faultInput(dir: string): Promise<string> {
  const file = path.join(dir, 'input.fa');
  const cases = goldenCases.filter(({ name }) => name !== 'edge-500');
  const texts = await Promise.all(cases.map((golden) => readFile(`${golden.dir}/input.fa`, 'utf8')));
  await writeFile(file, texts.join(''));
  return file;
}
