import { planCalls } from './batcher.js';
import type { Spread } from './spread.js';

/** One more call than compute is already with the session, so that its first segment does not wait for this thread. */
const CALLS_WAITING = 1;

/** Sequences that are computed together. */
export interface Call {
  indices: number[];
  /** No other is under way. */
  isAlone: boolean;
}

/** The calls of an embedding that are still to be sent: in what order, how large, and how many at once. */
export class CallQueue {
  private calls: number[][];
  private readonly alone: number[][] = [];
  /** Calls under way at once. Where there are more segments than calls, one more would find an idle one and compute. */
  private readonly most: number;
  /** Few sequences are shared out, rather than to leave segments without work. */
  private readonly share: number;

  /**
   * @param lengths tokens of each sequence.
   * @param facts looked at for every plan: what a call may hold becomes less when one did not fit.
   */
  constructor(
    private readonly lengths: readonly number[],
    private readonly facts: { readonly spread: Spread; readonly tokensPerCall: number },
  ) {
    const { segments, calls } = facts.spread;
    this.most = calls + (segments === calls ? CALLS_WAITING : 0);
    // Not Math.max(...): there may be more than a function takes.
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
    this.share = Math.ceil((longest * lengths.length) / calls);
    this.calls = this.plan(lengths.map((_, i) => i));
  }

  /** The call to send when `underWay` others are; undefined when it is to wait for them, or there is none. */
  next(underWay: number): Call | undefined {
    if (underWay < this.most && this.calls.length > 0) return { indices: this.calls.shift()!, isAlone: false };
    if (underWay === 0 && this.alone.length > 0) return { indices: this.alone.shift()!, isAlone: true };
    return undefined;
  }

  /**
   * Takes back a call that did not fit the memory: as smaller ones or, one sequence, to be tried when no other has its part of
   * the memory.
   * @returns false when that was so already.
   */
  takeBack({ indices, isAlone }: Call): boolean {
    if (indices.length > 1) this.calls = [indices, ...this.calls].flatMap((of) => this.plan(of));
    else if (this.facts.spread.calls > 1 && !isAlone) this.alone.push(indices);
    else return false;
    return true;
  }

  /** Takes back sequences of a call, to be sent next, each in a call of its own. */
  takeBackEach(indices: readonly number[]): void {
    this.calls.unshift(...indices.map((i) => [i]));
  }

  private plan(indices: readonly number[]): number[][] {
    const tokensPerCall = Math.min(this.facts.tokensPerCall, this.share);
    return planCalls(
      indices.map((i) => this.lengths[i]!),
      tokensPerCall,
    ).map((call) => call.map((n) => indices[n]!));
  }
}
