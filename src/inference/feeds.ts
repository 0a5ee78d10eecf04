import type { EncoderGraph, EncoderKind } from '../model/graph/encoder.js';
import type { Feeds } from './backend.js';
import type { Span } from './pooling.js';

/** Added to the attention scores of padding: exp() of it is exactly 0. */
const MASKED = -1e9;

/** The original pools ESM-2 over at most this many residues. */
const MOST_RESIDUES = 1024;

/** One padded call: token ids of its rows, with the inputs that {@link EncoderGraph} describes. */
export function encoderFeeds(graph: EncoderGraph, rows: readonly Int32Array[]): Feeds {
  const tokens = Math.max(...rows.map((row) => row.length));
  const ids = new Int32Array(rows.length * tokens);
  const mask = new Float32Array(rows.length * tokens).fill(MASKED);
  rows.forEach((row, i) => {
    ids.set(row, i * tokens);
    mask.fill(0, i * tokens, i * tokens + row.length);
  });
  return {
    input_ids: { type: 'int32', dims: [rows.length, tokens], data: ids },
    mask_bias: { type: 'float32', dims: [rows.length, 1, 1, tokens], data: mask },
    ...(graph.inverseFrequencies && rotary(graph.inverseFrequencies, tokens)),
  };
}

/**
 * cos and sin of position x frequency. Made here because onnxruntime's vectorized Cos rounds differently at the end of
 * an array, so that a token's angle would depend on the length of the call.
 */
function rotary(inverseFrequencies: Float32Array, tokens: number): Feeds {
  const width = inverseFrequencies.length;
  const dims = [tokens, width];
  const cos = new Float32Array(tokens * width);
  const sin = new Float32Array(tokens * width);
  for (let i = 0; i < cos.length; i += 1) {
    const angle = Math.fround(Math.floor(i / width) * inverseFrequencies[i % width]!);
    cos[i] = Math.cos(angle);
    sin[i] = Math.sin(angle);
  }
  return { cos: { type: 'float32', dims, data: cos }, sin: { type: 'float32', dims, data: sin } };
}

/**
 * Which tokens of a row its vector is the mean of, as the original pools: all of DNABERT's with [CLS] and [SEP], the
 * first 1,024 residues of ESM-2's.
 */
export function pooledSpan(kind: EncoderKind, tokens: number): Span {
  if (kind === 'dnabert2') return { from: 0, to: tokens };
  return { from: 1, to: 1 + Math.min(MOST_RESIDUES, tokens - 2) };
}
