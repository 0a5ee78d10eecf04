/** Tokens `from` (inclusive) to `to` (exclusive) of one row. */
export interface Span {
  from: number;
  to: number;
}

/** How token vectors become one vector a row. */
export interface Pooling {
  /** One a row. */
  spans: Span[];
  /** Size of a token vector. */
  hidden: number;
}

/**
 * Means over token spans, one a row of the batch. Summed in token order in double precision, so that a mean depends on
 * its own row only (a ReduceMean in the graph adds in another order for other batch sizes).
 * @param tokenVectors [spans.length, tokens, hidden]
 * @returns [spans.length, hidden]
 */
export function meanOfSpans(tokenVectors: Float32Array, { spans, hidden }: Pooling): Float32Array {
  const means = new Float32Array(spans.length * hidden);
  if (spans.length === 0) return means;
  const rowSize = tokenVectors.length / spans.length;
  const sums = new Float64Array(hidden);
  spans.forEach(({ from, to }, row) => {
    sums.fill(0);
    for (let token = from; token < to; token += 1) {
      const start = row * rowSize + token * hidden;
      for (let i = 0; i < hidden; i += 1) sums[i]! += tokenVectors[start + i]!;
    }
    for (let i = 0; i < hidden; i += 1) means[row * hidden + i] = sums[i]! / (to - from);
  });
  return means;
}
