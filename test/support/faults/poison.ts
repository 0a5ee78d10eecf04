import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Stage } from '../../../src/contract/stages.js';
import { openModel } from '../../../src/model/model.js';
import { goldenCases, goldenModels } from '../golden.js';

/** A frame of the input that tests pick on; the first of its run. */
export const POISON = 'NC_001416.1_chunk_3F2';

/** The poisoned frame's tokens as the model of `stage` sees them. */
export async function poisonTokens(stage: Stage, dir: string): Promise<number[]> {
  const lambda = goldenCases.find(({ name }) => name.startsWith('lambda'))!;
  const [file, source] =
    stage === 'dnabert-s'
      ? ['identified_nucleotide.fa', goldenModels.dnaModel]
      : ['identified_protein.faa', goldenModels.proteinModel];
  const [header, sequence] = (await readFile(path.join(lambda.dir, file), 'utf8')).split('\n');
  if (header !== `>${POISON}`) throw new Error(`${file} starts with ${header}`);
  const { tokenizer } = await openModel(source, path.join(dir, 'cache'));
  return [...tokenizer.encode(sequence!)];
}
