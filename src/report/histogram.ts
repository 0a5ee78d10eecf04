import type { Bin, Tone } from './charts.js';

const BINS = 40;

/** Counts in equal bins, by tone. */
export class Histogram {
  private readonly counts = new Map<Tone, Uint32Array>();

  constructor(
    private readonly from: number,
    private readonly to: number,
  ) {}

  add(value: number, tone: Tone): void {
    let counts = this.counts.get(tone);
    if (counts === undefined) this.counts.set(tone, (counts = new Uint32Array(BINS)));
    const bin = Math.floor(((value - this.from) / (this.to - this.from)) * BINS);
    counts[Math.max(0, Math.min(BINS - 1, bin))]! += 1;
  }

  bins(): Bin[] {
    const edge = (i: number): number => this.from + ((this.to - this.from) * i) / BINS;
    return [...this.counts].flatMap(([tone, counts]) =>
      Array.from(counts, (count, i): Bin => ({ from: edge(i), to: edge(i + 1), count, tone })),
    );
  }
}
