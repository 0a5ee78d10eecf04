import { OutOfMemory } from '../../contract/failures.js';
import type { Embedder, PreparedSequences } from '../../inference/embedder.js';
import type { Spread } from '../../inference/spread.js';
import { peakMemory, resetPeakMemory } from '../../io/process-memory.js';
import { median } from '../statistics.js';
import { MOST_SECONDS_TO_CANCEL, type Point } from './recommend.js';

/** Time that a budget is measured for in each round: many calls of a quick device, one of a slow one. */
const SECONDS_A_BUDGET = 1;

/** Calls that a budget is measured by at least: as many as are on their way at once, and as many more, which are timed. */
export function callsToMeasure({ calls }: Spread): number {
  return calls === 1 ? 1 : 2 * calls;
}

/** How to go through token budgets. */
export interface SweepOptions {
  /** Tokens a call, in ascending order. */
  budgets: readonly number[];
  /** Times that all budgets are gone through; a point is the median of its rounds. */
  rounds: number;
  /** Whether there is memory for a call of so many tokens. */
  hasMemory: (tokensPerCall: number) => Promise<boolean>;
  onPoint?: (point: Point) => void;
}

/** What was measured, and why nothing larger was. */
export interface Sweep {
  points: Point[];
  stopped?: string;
}

/** Measures each budget, the smallest first. Ends early where memory, patience or sequences end. */
export async function sweep(prober: Prober, options: SweepOptions): Promise<Sweep> {
  let { budgets } = options;
  let stopped: string | undefined;
  const measured: Point[][] = budgets.map(() => []);
  for (let round = 1; round <= options.rounds; round++) {
    for (const [i, budget] of budgets.entries()) {
      const point = (await options.hasMemory(budget)) ? await prober.measure(budget) : undefined;
      if (point === undefined) {
        stopped = `calls of ${budget} tokens do not fit the memory`;
        budgets = budgets.slice(0, i);
        break;
      }
      measured[i]!.push(point);
      options.onPoint?.(point);
      const next = budgets[i + 1];
      if (round > 1 || next === undefined) continue;
      if (point.secondsToCancel > MOST_SECONDS_TO_CANCEL) {
        stopped = `a cancel would wait longer than ${MOST_SECONDS_TO_CANCEL} s for calls of ${budget} tokens`;
      } else if (!prober.hasEnoughFor(next)) {
        stopped = `the sequences are too few for calls of ${next} tokens`;
      } else continue;
      budgets = budgets.slice(0, i + 1);
      break;
    }
  }
  const points = measured.filter((rounds) => rounds.length > 0).map(medianPoint);
  return { points, ...(stopped === undefined ? {} : { stopped }) };
}

/** The middle of what the rounds gave for one budget, and their highest peak. */
function medianPoint(rounds: readonly Point[]): Point {
  const middle = (of: (point: Point) => number): number => median(rounds.map(of));
  return {
    tokensPerCall: rounds[0]!.tokensPerCall,
    tokensPerSecond: middle(({ tokensPerSecond }) => tokensPerSecond),
    secondsPerCall: middle(({ secondsPerCall }) => secondsPerCall),
    secondsToCancel: middle(({ secondsToCancel }) => secondsToCancel),
    peakBytes: Math.max(...rounds.map(({ peakBytes }) => peakBytes)),
  };
}

/** Times calls of a loaded encoder. */
export class Prober {
  /** Of the last measurement; unknown before the first. */
  private tokensPerSecond: number | undefined;

  private constructor(
    private readonly embedder: Embedder,
    private readonly pool: PreparedSequences,
    private readonly signal: AbortSignal,
  ) {}

  /** @param sequences upper-case, not empty. */
  static async create(embedder: Embedder, sequences: readonly string[], signal: AbortSignal): Promise<Prober> {
    return new Prober(embedder, await embedder.prepare(sequences, { signal }), signal);
  }

  /** Whether there are sequences enough to measure calls of so many tokens. */
  hasEnoughFor(tokensPerCall: number): boolean {
    const tokens = this.pool.tokens.reduce((sum, { length }) => sum + length, 0);
    return callsToMeasure(this.embedder.facts.spread) * tokensPerCall <= tokens;
  }

  /** Tokens of the longest sequence. */
  get longest(): number {
    return Math.max(...this.pool.tokens.map(({ length }) => length));
  }

  /**
   * Some calls of `tokensPerCall`, after one that the runtime gets its memory by.
   * @returns undefined when they do not fit the memory.
   */
  async measure(tokensPerCall: number): Promise<Point | undefined> {
    this.embedder.resizeCalls(tokensPerCall);
    await resetPeakMemory();
    try {
      const { spread } = this.embedder.facts;
      const first = await this.embed(1, tokensPerCall);
      const rate = (this.tokensPerSecond ??= first.tokens / first.seconds);
      const calls = Math.max(callsToMeasure(spread), Math.round((SECONDS_A_BUDGET * rate) / tokensPerCall));
      const { tokens, seconds, calls: made } = await this.embed(calls, tokensPerCall);
      if (this.embedder.facts.reducedFrom !== undefined) return undefined;
      this.tokensPerSecond = tokens / seconds;
      return {
        tokensPerCall,
        tokensPerSecond: tokens / seconds,
        secondsPerCall: (seconds / made) * spread.calls,
        secondsToCancel: ((seconds / made) * spread.calls) / spread.segments,
        peakBytes: await peakMemory(),
      };
    } catch (error) {
      if (error instanceof OutOfMemory) return undefined;
      throw error;
    }
  }

  private async embed(
    calls: number,
    tokensPerCall: number,
  ): Promise<{ tokens: number; seconds: number; calls: number }> {
    const rows = Math.max(1, Math.floor(tokensPerCall / this.longest));
    const tokens = this.pool.tokens.slice(0, calls * rows);
    const sequences = { tokens, sequences: tokens.length, rows: tokens.map((_, row) => [row]) };
    const ends: { tokens: number; at: number }[] = [{ tokens: 0, at: performance.now() }];
    await this.embedder.embed(sequences, {
      signal: this.signal,
      onProgress: ({ tokensDone }) => ends.push({ tokens: tokensDone, at: performance.now() }),
    });
    // Without those that found segments idle.
    const { calls: atOnce } = this.embedder.facts.spread;
    const from = atOnce > 1 && ends.length - 1 > atOnce ? atOnce : 0;
    const [first, last] = [ends[from]!, ends.at(-1)!];
    return { tokens: last.tokens - first.tokens, seconds: (last.at - first.at) / 1000, calls: ends.length - 1 - from };
  }
}
