/** A cancel is seen between the segments of a model only (inference/spread.ts); it shall wait no longer for one. */
export const MOST_SECONDS_TO_CANCEL = 3;

/** A setting this much slower than the best is as good as it: more would not stand out from a machine's ups and downs. */
const AS_GOOD = 0.05;

/** What one token budget gave. */
export interface Point {
  /** Tokens of a call, padding included. */
  tokensPerCall: number;
  /** Padding not counted. */
  tokensPerSecond: number;
  secondsPerCall: number;
  /** In one segment of the model. */
  secondsToCancel: number;
  /** The most resident memory of the process. */
  peakBytes: number;
}

/**
 * The smallest budget that is within {@link AS_GOOD} of the fastest, among those that are cancelled within
 * {@link MOST_SECONDS_TO_CANCEL}; where none does, the smallest of all. Small calls need less memory and are cancelled sooner.
 * @param points at least one, in any order.
 */
export function recommend(points: readonly Point[]): Point {
  const bySize = [...points].sort((a, b) => a.tokensPerCall - b.tokensPerCall);
  const quick = bySize.filter(({ secondsToCancel }) => secondsToCancel <= MOST_SECONDS_TO_CANCEL);
  const best = Math.max(...quick.map(({ tokensPerSecond }) => tokensPerSecond));
  return quick.find(({ tokensPerSecond }) => tokensPerSecond >= (1 - AS_GOOD) * best) ?? bySize[0]!;
}
