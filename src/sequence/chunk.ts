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
export class Chunks {
  readonly count: number;
  private readonly overlap: number;
  private readonly oneMore: number;

  constructor(
    private readonly length: number,
    private readonly size: number,
  ) {
    this.count = Math.ceil(length / size);
    const surplus = this.count * size - length;
    this.overlap = Math.floor(surplus / this.count);
    this.oneMore = surplus - this.overlap * (this.count - 1);
  }

  /** Where chunk `i`, counted from 0, starts. */
  start(i: number): number {
    return i * this.size - i * this.overlap - Math.min(i, this.oneMore);
  }

  /** Where chunk `i` ends. */
  end(i: number): number {
    return Math.min(this.start(i) + this.size, this.length);
  }
}

/** All {@link Chunks} of a contig. */
export function* chunkSpans(length: number, size: number): Generator<Span> {
  const chunks = new Chunks(length, size);
  for (let i = 0; i < chunks.count; i++) yield { start: chunks.start(i), end: chunks.end(i) };
}

/** The `number`-th of them, counted from 1. */
export function chunkSpan(length: number, size: number, number: number): Span {
  const chunks = new Chunks(length, size);
  return { start: chunks.start(number - 1), end: chunks.end(number - 1) };
}
