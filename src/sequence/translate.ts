import { AMINO_ACIDS, AMINO_ACIDS_OF_REVERSE, BASE_CLASS, COMPLEMENT, STOP, UPPER } from './codon-table.js';

/** The six reading frames in the order of all outputs: three forward, three on the reverse complement. */
export const FRAME_NAMES = ['F1', 'F2', 'F3', 'R1', 'R2', 'R3'] as const;

/** One of {@link FRAME_NAMES}. */
export type FrameName = (typeof FRAME_NAMES)[number];

/** An open frame of a chunk: translated to the end without a stop codon. */
export interface Frame {
  name: FrameName;
  /** Upper case, on the frame's own strand: the codons, and one base more where there is one. */
  nucleotide: string;
  /** One-letter amino acids; codons with a letter other than ACGT add nothing. */
  protein: string;
}

/** The open frames of a chunk, in the order of {@link FRAME_NAMES}. */
export function translateChunk(chunk: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  visitOpenFrames(chunk, (name, nucleotide, protein) =>
    frames.push({ name, nucleotide: ascii(nucleotide), protein: ascii(protein) }),
  );
  return frames;
}

/**
 * Calls `visit` for each open frame of a chunk with views that are valid during the call only.
 * @returns the number of open frames.
 */
export function visitOpenFrames(
  chunk: Uint8Array,
  visit: (name: FrameName, nucleotide: Uint8Array, protein: Uint8Array) => void,
): number {
  let open = 0;
  for (let frame = 0; frame < FRAME_NAMES.length; frame++) {
    const residues = translateFrame(chunk, frame);
    if (residues === 0) continue;
    open += 1;
    visit(FRAME_NAMES[frame]!, frameNucleotides(chunk, frame, residues), proteinScratch.subarray(0, residues));
  }
  return open;
}

/** How many frames of a chunk are open. */
export function countOpenFrames(chunk: Uint8Array): number {
  let open = 0;
  for (let frame = 0; frame < FRAME_NAMES.length; frame++) if (translateFrame(chunk, frame) > 0) open += 1;
  return open;
}

let proteinScratch = new Uint8Array(1024);
let nucleotideScratch = new Uint8Array(1024);

/**
 * Translates one frame into `proteinScratch` until its end or its first stop codon; most frames of most chunks end
 * there early. Reverse frames are read on the forward strand from the end, through the table of reversed codons.
 * @returns the number of residues, 0 for a frame that is not open.
 */
function translateFrame(chunk: Uint8Array, frame: number): number {
  const offset = frame % 3;
  const codons = Math.floor((chunk.length - offset) / 3);
  if (codons > proteinScratch.length) proteinScratch = new Uint8Array(codons);
  const forward = frame < 3;
  const table = forward ? AMINO_ACIDS : AMINO_ACIDS_OF_REVERSE;
  const step = forward ? 3 : -3;
  let at = forward ? offset : chunk.length - 3 - offset;
  let residues = 0;
  for (let codon = 0; codon < codons; codon++, at += step) {
    const aminoAcid =
      table[(BASE_CLASS[chunk[at]!]! << 6) | (BASE_CLASS[chunk[at + 1]!]! << 3) | BASE_CLASS[chunk[at + 2]!]!]!;
    if (aminoAcid === STOP) return 0;
    if (aminoAcid !== 0) proteinScratch[residues++] = aminoAcid;
  }
  return residues;
}

/**
 * The original's slice `strand[f - 1 : f + 3 * residues]`: one base more than the codons where there is one, and from
 * the frame's start even if codons were dropped on the way.
 */
function frameNucleotides(chunk: Uint8Array, frame: number, residues: number): Uint8Array {
  const start = frame % 3;
  const length = Math.min(chunk.length - start, 3 * residues + 1);
  if (length > nucleotideScratch.length) nucleotideScratch = new Uint8Array(length);
  if (frame < 3) {
    for (let i = 0; i < length; i++) nucleotideScratch[i] = UPPER[chunk[start + i]!]!;
  } else {
    const last = chunk.length - 1 - start;
    for (let i = 0; i < length; i++) nucleotideScratch[i] = COMPLEMENT[chunk[last - i]!]!;
  }
  return nucleotideScratch.subarray(0, length);
}

function ascii(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
