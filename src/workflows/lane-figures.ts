import type { LaneFigures } from '../contract/progress.js';

/** What is known of a lane, from two batches or slices: its highest peak, its smallest calls. */
export function sumOfFigures(before: LaneFigures | undefined, now: LaneFigures): LaneFigures {
  if (before === undefined) return now;
  const reducedFrom = before.reducedFrom ?? now.reducedFrom;
  return {
    peakBytes: Math.max(before.peakBytes, now.peakBytes),
    tokensPerCall: Math.min(before.tokensPerCall, now.tokensPerCall),
    ...(reducedFrom === undefined ? {} : { reducedFrom }),
  };
}

/** The same for lanes by their names. */
export function sumOfLanes(of: readonly Record<string, LaneFigures>[]): Record<string, LaneFigures> {
  const sum: Record<string, LaneFigures> = {};
  for (const lanes of of) {
    for (const [lane, figures] of Object.entries(lanes)) sum[lane] = sumOfFigures(sum[lane], figures);
  }
  return sum;
}
