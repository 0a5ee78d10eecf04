/** Seconds that a model call may take: a cancel is seen between calls only. */
export const MOST_CALL_SECONDS = 3;

/** A setting this much slower than the best is as good as it: more would not stand out from a machine's ups and downs. */
const AS_GOOD = 0.05;

/** What one token budget gave. */
export interface Point {
  /** Tokens of a call, padding included. */
  tokensPerCall: number;
  /** Padding not counted. */
  tokensPerSecond: number;
  secondsPerCall: number;
  /** The most resident memory of the process. */
  peakBytes: number;
}

/**
 * The smallest budget that is within {@link AS_GOOD} of the fastest, among those whose calls take at most
 * {@link MOST_CALL_SECONDS}; where none does, the smallest of all. Small calls need less memory and are cancelled sooner.
 * @param points at least one, in any order.
 */
export function recommend(points: readonly Point[]): Point {
  const bySize = [...points].sort((a, b) => a.tokensPerCall - b.tokensPerCall);
  const quick = bySize.filter(({ secondsPerCall }) => secondsPerCall <= MOST_CALL_SECONDS);
  const best = Math.max(...quick.map(({ tokensPerSecond }) => tokensPerSecond));
  return quick.find(({ tokensPerSecond }) => tokensPerSecond >= (1 - AS_GOOD) * best) ?? bySize[0]!;
}
