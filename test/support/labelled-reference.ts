import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Embedder } from '../../src/inference/embedder.js';
import type { ReferenceVector, ReferenceVectors } from '../../src/inference/reference-vectors.js';
import { readTable } from './compare-results.js';
import { GOLDEN_CASES, goldenModels } from './golden.js';

const CASE = `${GOLDEN_CASES}/mixed-300`;

/** Name of the classifier that the case's predictions are of. */
export const STATED_CLASSIFIER = 'tiny.safetensors';

const FRAMES = 4;

/** Reference vectors with predictions: the first frames of a golden case, as the original scored them with the tiny models. */
export async function labelledReference(): Promise<ReferenceVectors> {
  const { rows } = await readTable(`${CASE}/prediction_results.txt`);
  return {
    source: 'golden',
    models: {
      'dnabert2-tiny': await vectors(goldenModels.dnaModel, 'identified_nucleotide.fa'),
      'esm2-tiny': await vectors(goldenModels.proteinModel, 'identified_protein.faa'),
    },
    predictions: {
      classifier: STATED_CLASSIFIER,
      dna: 'dnabert2-tiny',
      protein: 'esm2-tiny',
      frames: rows.slice(0, FRAMES).map(([id, label, , score2]) => ({
        id: id!,
        label: label as 'virus' | 'others',
        score2: Number(score2),
      })),
    },
  };
}

async function vectors(model: string, fasta: string): Promise<ReferenceVector[]> {
  const text = await readFile(path.join(CASE, fasta), 'utf8');
  const records = text
    .split('>')
    .slice(1, 1 + FRAMES)
    .map((record) => {
      const [id, ...lines] = record.split('\n');
      return { id: id!, sequence: lines.join('') };
    });
  const embedder = await Embedder.open({ model, threads: 1, cacheDir: '' });
  const all = await embedder.embed(records.map(({ sequence }) => sequence));
  await embedder.close();
  const width = all.length / FRAMES;
  return records.map((record, row) => ({ ...record, vector: [...all.subarray(row * width, (row + 1) * width)] }));
}
