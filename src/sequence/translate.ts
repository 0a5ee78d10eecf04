import {
  AMINO_ACIDS,
  AMINO_ACIDS_OF_REVERSE,
  BASE_CLASS,
  CODON_MARKS,
  COMPLEMENT,
  RESIDUE,
  STOP_FORWARD,
  STOP_REVERSE,
  UPPER,
} from './codon-table.js';
import { CHUNK_SIZE } from './chunk.js';

/** The six reading frames in the order of all outputs: three forward, three on the reverse complement. */
export const FRAME_NAMES = ['F1', 'F2', 'F3', 'R1', 'R2', 'R3'] as const;

/** One of {@link FRAME_NAMES}. */
export type FrameName = (typeof FRAME_NAMES)[number];

/** An open frame of a chunk: translated to the end without a stop codon, to one residue or more. */
export interface Frame {
  name: FrameName;
  /** Upper case, on the frame's own strand: the codons, and one base more where there is one. */
  nucleotide: string;
  /** One-letter amino acids; codons with a letter other than ACGT add nothing. */
  protein: string;
}

// V8 makes loops over arrays that are constants of their module about three times as fast as over any others: hence
// these names for imported tables, and areas to work in. They are used within one call only.
const CLASSES = BASE_CLASS;
const MARKS = CODON_MARKS;
const FORWARD = AMINO_ACIDS;
const REVERSE = AMINO_ACIDS_OF_REVERSE;
const COMPLEMENTS = COMPLEMENT;
const UPPERS = UPPER;
const bases = new Uint8Array(CHUNK_SIZE.max);
const nucleotides = new Uint8Array(CHUNK_SIZE.max);
const residues = new Uint8Array(CHUNK_SIZE.max);

/** The open frames of a chunk, in the order of {@link FRAME_NAMES}. */
export function translateChunk(chunk: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  visitOpenFrames(chunk, (name, nucleotide, protein) =>
    frames.push({ name, nucleotide: ascii(nucleotide), protein: ascii(protein) }),
  );
  return frames;
}

/** How many frames of a chunk are open. */
export function countOpenFrames(chunk: Uint8Array): number {
  bases.set(chunk);
  let open = 0;
  for (let bits = findOpenFrames(chunk.length); bits !== 0; bits &= bits - 1) open += 1;
  return open;
}

/**
 * Calls `visit` for each open frame of a chunk of up to {@link CHUNK_SIZE} bases, with views that are valid during the
 * call only.
 * @returns the number of open frames.
 */
export function visitOpenFrames(
  chunk: Uint8Array,
  visit: (name: FrameName, nucleotide: Uint8Array, protein: Uint8Array) => void,
): number {
  bases.set(chunk);
  const { length } = chunk;
  const bits = findOpenFrames(length);
  let open = 0;
  for (let frame = 0; bits >> frame !== 0; frame++) {
    if (((bits >> frame) & 1) === 0) continue;
    open += 1;
    const forward = frame < 3;
    const offset = frame % 3;
    const count = forward ? translateForward(offset, length) : translateReverse(offset, length);
    // The original's slice `strand[f - 1 : f + 3 * residues]`: one base more than the codons where there is one, and
    // from the frame's start even if codons were dropped on the way.
    const end = Math.min(length, offset + 3 * count + 1);
    if (forward) copyForward(offset, end);
    else copyReverse(offset, end, length);
    visit(FRAME_NAMES[frame]!, nucleotides.subarray(0, end - offset), residues.subarray(0, count));
  }
  return open;
}

/**
 * Finds the open frames of the first `length` bases in one pass over all codons, which ends where the last frame meets a
 * stop. Frames are told apart by phase, where a codon starts modulo 3: each phase belongs to one forward and one reverse
 * frame.
 * @returns bit `i` set for each open frame of {@link FRAME_NAMES}.
 */
function findOpenFrames(length: number): number {
  const closed = STOP_FORWARD | STOP_REVERSE;
  let marks0 = 0;
  let marks1 = 0;
  let marks2 = 0;
  let codon = (CLASSES[bases[0]!]! << 3) | CLASSES[bases[1]!]!;
  let at = 2;
  for (; at + 2 < length; at += 3) {
    codon = ((codon << 3) | CLASSES[bases[at]!]!) & 511;
    marks0 |= MARKS[codon]!;
    codon = ((codon << 3) | CLASSES[bases[at + 1]!]!) & 511;
    marks1 |= MARKS[codon]!;
    codon = ((codon << 3) | CLASSES[bases[at + 2]!]!) & 511;
    marks2 |= MARKS[codon]!;
    if ((marks0 & marks1 & marks2 & closed) === closed) return 0;
  }
  if (at < length) {
    codon = ((codon << 3) | CLASSES[bases[at]!]!) & 511;
    marks0 |= MARKS[codon]!;
  }
  if (at + 1 < length) {
    codon = ((codon << 3) | CLASSES[bases[at + 1]!]!) & 511;
    marks1 |= MARKS[codon]!;
  }
  return openFrames(marks0, 0, length) | openFrames(marks1, 1, length) | openFrames(marks2, 2, length);
}

/** The open ones of a phase's two frames, by the marks of its codons. A reverse frame counts from the chunk's end. */
function openFrames(marks: number, phase: number, length: number): number {
  const forward = (marks & (RESIDUE | STOP_FORWARD)) === RESIDUE ? 1 << phase : 0;
  const reverse = (marks & (RESIDUE | STOP_REVERSE)) === RESIDUE ? 8 << ((length - phase) % 3) : 0;
  return forward | reverse;
}

/** Fills `residues` from an open frame. Returns their number. */
function translateForward(offset: number, length: number): number {
  let count = 0;
  for (let at = offset; at + 2 < length; at += 3) {
    const aminoAcid =
      FORWARD[(CLASSES[bases[at]!]! << 6) | (CLASSES[bases[at + 1]!]! << 3) | CLASSES[bases[at + 2]!]!]!;
    if (aminoAcid !== 0) residues[count++] = aminoAcid;
  }
  return count;
}

/** The same on the other strand, read on this one from its end, through the table of reversed codons. */
function translateReverse(offset: number, length: number): number {
  let count = 0;
  for (let at = length - 3 - offset; at >= 0; at -= 3) {
    const aminoAcid =
      REVERSE[(CLASSES[bases[at]!]! << 6) | (CLASSES[bases[at + 1]!]! << 3) | CLASSES[bases[at + 2]!]!]!;
    if (aminoAcid !== 0) residues[count++] = aminoAcid;
  }
  return count;
}

/** Fills `nucleotides` with the bases from `start` to `end`. */
function copyForward(start: number, end: number): void {
  for (let at = start; at < end; at++) nucleotides[at - start] = UPPERS[bases[at]!]!;
}

/** The same on the other strand, where positions count from the end. */
function copyReverse(start: number, end: number, length: number): void {
  const last = length - 1;
  for (let at = start; at < end; at++) nucleotides[at - start] = COMPLEMENTS[bases[last - at]!]!;
}

function ascii(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
