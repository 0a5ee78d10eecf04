import { STALLED_MEDIANS } from '../contract/defaults.js';

/** Calls that the median is taken of. */
const REMEMBERED = 101;

/** Tells when a series of calls has stopped moving: nothing for max(`leastMs`, 20 x the median call). */
export class StallWatch {
  private readonly durations: number[] = [];
  private last = performance.now();

  constructor(private readonly leastMs: number) {}

  /** A call has ended. */
  moved(): void {
    const now = performance.now();
    this.durations.push(now - this.last);
    if (this.durations.length > REMEMBERED) this.durations.shift();
    this.last = now;
  }

  get stalled(): boolean {
    return performance.now() - this.last > Math.max(this.leastMs, STALLED_MEDIANS * this.median());
  }

  private median(): number {
    const sorted = [...this.durations].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  }
}
