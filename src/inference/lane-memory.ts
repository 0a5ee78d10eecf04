import type { ModelRef } from '../contract/models.js';

/** Sizes of an encoder that its memory hangs on. */
export type EncoderSizes = Pick<ModelRef, 'kind' | 'hidden' | 'heads' | 'intermediate'>;

/**
 * The longest sequence of the usual windows, in tokens: 500 bases, if the tokenizer finds no pair in them. One that is
 * longer than the budget has a call of its own.
 */
const LONGEST_SEQUENCE = 512;

/** The arena asks the system for twice as much each time, so that up to half of it is never used. */
const ARENA_GROWTH = 2;

/** A lane's process without a model: Node.js, the Temporal worker, onnxruntime and its threads. */
const PROCESS_BYTES = 300e6;

/** Values a token that are alive at once, in units of the width that they have. */
const VALUES: Record<ModelRef['kind'], { hidden: number; intermediate: number; scores: number }> = {
  esm2: { hidden: 10, intermediate: 2, scores: 1 },
  dnabert2: { hidden: 10, intermediate: 4, scores: 3 },
};

/** Memory that a call takes beside the model, in bytes, at most: see docs/queues-and-leases.md. */
export function callBytes({ kind, hidden, heads, intermediate }: EncoderSizes, tokensPerCall: number): number {
  const tokens = Math.max(tokensPerCall, LONGEST_SEQUENCE);
  const values = VALUES[kind];
  const perToken =
    values.hidden * hidden + values.intermediate * intermediate + values.scores * heads * LONGEST_SEQUENCE;
  return ARENA_GROWTH * Float32Array.BYTES_PER_ELEMENT * tokens * perToken;
}

/** Memory that a lane takes, in bytes, at most: known before it starts. */
export function laneBytes(model: EncoderSizes & Pick<ModelRef, 'bytes'>, tokensPerCall: number): number {
  return PROCESS_BYTES + model.bytes + callBytes(model, tokensPerCall);
}
