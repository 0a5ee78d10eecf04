import { STALLED_MEDIANS } from '../contract/defaults.js';

/** Calls that the median is taken of. */
const REMEMBERED = 101;

/** Tells when a series of calls has stopped moving: nothing for max(`leastMs`, 20 x the median call). */
export class StallWatch {
  private readonly durations: number[] = [];
  private last: number;

  /** @param now a clock, in milliseconds. */
  constructor(
    private readonly leastMs: number,
    private readonly now = () => performance.now(),
  ) {
    this.last = now();
  }

  /** A call has ended. */
  called(): void {
    this.durations.push(this.now() - this.last);
    if (this.durations.length > REMEMBERED) this.durations.shift();
    this.moved();
  }

  /** Something else that takes its time has ended, or gone on: it says nothing of how long calls take. */
  moved(): void {
    this.last = this.now();
  }

  get stalled(): boolean {
    return this.now() - this.last > Math.max(this.leastMs, STALLED_MEDIANS * this.median());
  }

  private median(): number {
    const sorted = [...this.durations].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  }
}
