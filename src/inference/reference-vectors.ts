import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { InputError } from '../contract/failures.js';

const vectorSchema = z.object({
  id: z.string(),
  /** Upper-case: nucleotides for DNABERT, residues for ESM-2. */
  sequence: z.string().min(1),
  /** Mean-pooled as the original does it; 7 digits do. */
  vector: z.array(z.number()).min(1),
});

const referenceSchema = z.object({
  /** Who computed them with what. */
  source: z.string(),
  /** By the models' short names. */
  models: z.record(z.string(), z.array(vectorSchema).min(1)),
});

/** A sequence and the vector that a model must give for it. */
export type ReferenceVector = z.infer<typeof vectorSchema>;

/** Vectors that another implementation computed. */
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
