import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../contract/failures.js';

const vectorSchema = z.object({
  id: z.string(),
  /** Upper-case: nucleotides for DNABERT, residues for ESM-2. */
  sequence: z.string().min(1),
  /** Mean-pooled as the original does it; 7 digits do. */
  vector: z.array(z.number()).min(1),
});

const predictionsSchema = z.object({
  /** Which classifier made them. */
  classifier: z.string(),
  /** Models of the file whose vectors it was given. */
  dna: z.string(),
  protein: z.string(),
  /** One for each sequence of these models, in their order. */
  frames: z.array(
    z.object({
      id: z.string(),
      label: z.enum(['virus', 'others']),
      /** P(virus). */
      score2: z.number(),
    }),
  ),
});

const referenceSchema = z
  .object({
    /** Who computed them with what. */
    source: z.string(),
    /** By the models' short names. */
    models: z.record(
      z.string(),
      z
        .array(vectorSchema)
        .min(1)
        .refine(
          (all) => all.every(({ vector }) => vector.length === all[0]!.vector.length),
          'vectors differ in length',
        ),
    ),
    predictions: predictionsSchema.optional(),
  })
  .refine(
    ({ models, predictions }) =>
      predictions === undefined ||
      [predictions.dna, predictions.protein].every((name) =>
        isDeepStrictEqual(idsOf(models[name]), idsOf(predictions.frames)),
      ),
    'predictions and the vectors of their two models are not of the same ids in the same order',
  );

function idsOf(rows: readonly { id: string }[] | undefined): string[] | undefined {
  return rows?.map(({ id }) => id);
}

/** A sequence and the vector that a model must give for it. */
export type ReferenceVector = z.infer<typeof vectorSchema>;

/** What a classifier said of sequences that two of the models embedded. */
export type ReferencePredictions = z.infer<typeof predictionsSchema>;

/** Vectors that another implementation computed, and perhaps what a classifier said of them. */
export type ReferenceVectors = z.infer<typeof referenceSchema>;

/** Of the package: vectors of the models that VirNucPro's classifiers were trained on. */
const SHIPPED = fileURLToPath(new URL('../../../assets/reference-vectors.json', import.meta.url));

/**
 * Reads a file of reference vectors; without a name, the one that comes with this package.
 * @throws InputError when it is no such file.
 */
export async function readReferenceVectors(file = SHIPPED): Promise<ReferenceVectors> {
  const refuse = (what: string, cause?: unknown): InputError =>
    new InputError({ what, where: file, next: 'docs/models.md says what such a file holds', cause });
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw refuse(`cannot be read: ${(error as Error).message}`, error);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refuse('not JSON', error);
  }
  const { data, error } = referenceSchema.safeParse(json);
  if (data === undefined) throw refuse(`no file of reference vectors: ${z.prettifyError(error).split('\n')[0]}`);
  return data;
}
