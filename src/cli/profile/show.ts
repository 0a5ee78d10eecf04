import { byteText } from '../../io/figure-text.js';
import { textTable } from '../text-table.js';
import type { Point } from './recommend.js';

const BAR_WIDTH = 40;

/** A line for each point: tokens a call, tokens/s, seconds a call and until a cancel is seen, peak memory. */
export function pointTable(points: readonly Point[]): string {
  return textTable([
    ['TOKENS A CALL', 'TOKENS/S', 'SECONDS A CALL', 'SECONDS TO CANCEL', 'PEAK MEMORY'],
    ...points.map(({ tokensPerCall, tokensPerSecond, secondsPerCall, secondsToCancel, peakBytes }) => [
      String(tokensPerCall),
      String(Math.round(tokensPerSecond)),
      secondsPerCall.toPrecision(3),
      secondsToCancel.toPrecision(3),
      byteText(peakBytes),
    ]),
  ]);
}

/** Tokens/s as bars from zero, one a point; `<` marks the recommended one. */
export function speedChart(points: readonly Point[], recommended: Point): string {
  const most = Math.max(...points.map(({ tokensPerSecond }) => tokensPerSecond));
  const width = Math.max(...points.map(({ tokensPerCall }) => String(tokensPerCall).length));
  return points
    .map((point) => {
      const bar = '█'.repeat(Math.round((BAR_WIDTH * point.tokensPerSecond) / most));
      const mark = point.tokensPerCall === recommended.tokensPerCall ? ' <' : '';
      return `${String(point.tokensPerCall).padStart(width)} ${bar} ${Math.round(point.tokensPerSecond)}${mark}`;
    })
    .join('\n');
}
