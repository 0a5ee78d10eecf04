import type { RefusalReason } from '../contract/run.js';
import { ArtifactInvalid } from '../contract/failures.js';
import { type ArrowHeader, readArrowFile, writeArrowFile } from './arrow-file.js';

const KIND = 'embeddings';

/** Vectors of named sequences: `vectors` is row-major, `width` floats for each of `ids`. */
export interface Embeddings {
  ids: string[];
  vectors: Float32Array;
  width: number;
  /** Sequences of the batch that are left out, and why. */
  quarantined?: QuarantinedSequence[];
}

/** A sequence that could not be embedded. */
export interface QuarantinedSequence {
  id: string;
  reason: RefusalReason;
}

/**
 * Writes embeddings as an Arrow IPC file with columns `id` and `vector`.
 * @param madeBy digest of what made them: input, model, precision, options.
 * @returns the number of rows.
 */
export async function writeEmbeddings(file: string, madeBy: string, embeddings: Embeddings): Promise<number> {
  const { ids, vectors, width, quarantined = [] } = embeddings;
  return writeArrowFile(
    file,
    { kind: KIND, made_by: madeBy, ...(quarantined.length === 0 ? {} : { quarantined: JSON.stringify(quarantined) }) },
    { id: ids, vector: { values: vectors, width } },
  );
}

/**
 * Reads a file of {@link writeEmbeddings}.
 * @throws ArtifactInvalid when it is no such file, is not whole, or was made by something else.
 */
export async function readEmbeddings(file: string, madeBy?: string): Promise<Embeddings> {
  const arrow = await readArrowFile(file, { kind: KIND, ...(madeBy === undefined ? {} : { madeBy }) });
  const { values, width } = arrow.vectors('vector');
  return { ids: arrow.strings('id'), vectors: values, width, quarantined: quarantinedOf(arrow.header, file) };
}

function quarantinedOf({ quarantined = '[]' }: ArrowHeader, where: string): QuarantinedSequence[] {
  try {
    return JSON.parse(quarantined) as QuarantinedSequence[];
  } catch (cause) {
    throw new ArtifactInvalid({
      what: 'quarantined sequences that are no JSON',
      where,
      next: 'It will be made again',
      cause,
    });
  }
}
