import { readArrowFile, writeArrowFile } from './arrow-file.js';

const KIND = 'frames';

/** The frames of one file batch, by column. */
export interface Frames {
  /** Frame ids, e.g. `contig7_chunk_2R1`. */
  ids: string[];
  /** Upper-case bases on the frame's own strand: what DNABERT-S sees. */
  nucleotides: string[];
  /** One-letter amino acids: what ESM-2 sees. */
  proteins: string[];
}

/** Writes a file batch as an Arrow IPC file with columns `id`, `nucleotide`, `protein`. Returns the number of rows. */
export async function writeFrames(file: string, madeBy: string, frames: Frames): Promise<number> {
  const { ids, nucleotides, proteins } = frames;
  return writeArrowFile(file, { kind: KIND, made_by: madeBy }, { id: ids, nucleotide: nucleotides, protein: proteins });
}

/**
 * Reads a file of {@link writeFrames}.
 * @throws ArtifactInvalid when it is no such file, is not whole, or was made by something else.
 */
export async function readFrames(file: string, madeBy?: string): Promise<Frames> {
  const arrow = await readArrowFile(file, { kind: KIND, ...(madeBy === undefined ? {} : { madeBy }) });
  return { ids: arrow.strings('id'), nucleotides: arrow.strings('nucleotide'), proteins: arrow.strings('protein') };
}
