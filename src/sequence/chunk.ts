import { OptionError } from '../contract/failures.js';

/** Smallest and largest window: one codon, and what keeps a file batch of frames well under Arrow's 2 GB. */
export const CHUNK_SIZE = { min: 3, max: 10_000 } as const;

/** Where a chunk lies on its contig: bases `start` to `end`, 0-based, end excluded. */
export interface Span {
  start: number;
  end: number;
}

/** @throws OptionError unless `size` is a whole number within {@link CHUNK_SIZE}. */
export function checkChunkSize(size: number): void {
  if (Number.isInteger(size) && size >= CHUNK_SIZE.min && size <= CHUNK_SIZE.max) return;
  throw new OptionError({
    what: `chunk size is ${size}, allowed are whole numbers from ${CHUNK_SIZE.min} to ${CHUNK_SIZE.max}`,
    next: 'Use the length that the classifier was trained on, 300 or 500',
  });
}

/**
 * The windows of a contig, by the rule of the original tool (`units.py`): ceil(length / size) chunks that cover it
 * without a gap. What they are too long together, `surplus`, is taken as overlap between neighbours: `floor(surplus / n)`
 * bases each, and one more for the first `surplus - floor(surplus / n) * (n - 1)` of them. That leaves a rest of the
 * surplus to the last chunk, which is therefore shorter: 501 bases give [0, 500) and [250, 501).
 * All other chunks have exactly `size` bases. An empty contig has no chunk.
 */
export function* chunkSpans(length: number, size: number): Generator<Span> {
  const n = Math.ceil(length / size);
  for (let number = 1; number <= n; number++) yield chunkSpan(length, size, number);
}

/** Where the `number`-th chunk of a contig lies, counted from 1, as {@link chunkSpans} says. */
export function chunkSpan(length: number, size: number, number: number): Span {
  const n = Math.ceil(length / size);
  const surplus = n * size - length;
  const overlap = Math.floor(surplus / n);
  const oneMore = surplus - overlap * (n - 1);
  const before = number - 1;
  const start = before * size - before * overlap - Math.min(before, oneMore);
  return { start, end: Math.min(start + size, length) };
}
