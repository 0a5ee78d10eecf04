import type { DeviceKind } from '../contract/devices.js';
import type { ModelRef } from '../contract/models.js';

/** Sizes of an encoder that the memory of its calls hangs on. */
export type EncoderSizes = Pick<ModelRef, 'kind' | 'hidden' | 'heads' | 'intermediate'>;

/** A lane's process without a model: Node.js, the Temporal worker, onnxruntime; 210 to 290 MB with tiny models. */
const PROCESS_BYTES = 300e6;

/** A segment's thread: 10 MB once it has loaded, and some 20 MB of vectors on their way; besides what its calls keep. */
const SEGMENT_BYTES = 32e6;

/**
 * What a call keeps at once, the unused part of the runtime's arena included: vectors of a token as multiples of the
 * model's two widths, and attention scores of a token as a multiple of heads x tokens of its sequence. Upper bounds of
 * what was measured with onnxruntime 1.30 on a CPU (docs/decisions/025-lane-memory.md). `longest` is the longest
 * sequence of a window of 500 bases, in tokens; one that is longer than the budget has a call of its own.
 */
const CALL: Record<ModelRef['kind'], { hidden: number; intermediate: number; scores: number; longest: number }> = {
  esm2: { hidden: 7, intermediate: 2, scores: 1.5, longest: 168 },
  dnabert2: { hidden: 6, intermediate: 10, scores: 1.5, longest: 502 },
};

/** Memory that a call takes beside the model on a CPU, in bytes, at most. @param tokensPerCall padding included. */
export function callBytes({ kind, hidden, heads, intermediate }: EncoderSizes, tokensPerCall: number): number {
  const call = CALL[kind];
  const values = call.hidden * hidden + call.intermediate * intermediate + call.scores * heads * call.longest;
  return Float32Array.BYTES_PER_ELEMENT * Math.max(tokensPerCall, call.longest) * values;
}

/** What all segments of a model on a CPU keep for calls, in bytes, at most. @param tokensPerCall padding included. */
export function segmentBytes(model: EncoderSizes, tokensPerCall: number, segments: number): number {
  return segments * callBytes(model, tokensPerCall) + (segments - 1) * SEGMENT_BYTES;
}

/**
 * Memory of the host that a lane takes, in bytes, at most: known before it starts. On a CPU its weights are its own
 * (packed), and each segment keeps what a call takes. On another device weights and calls are in the device's memory; the
 * host has the first layer, which proves the device (prove-device.ts), and a call's token vectors as the runtime gives them
 * and as they are averaged. While such a lane loads, its weights go through the page cache, which is nobody's.
 */
export function laneBytes(
  model: EncoderSizes & Pick<ModelRef, 'bytes' | 'layers' | 'parameters'>,
  tokensPerCall: number,
  device: DeviceKind,
  segments = 1,
): number {
  if (device === 'cpu') return PROCESS_BYTES + model.bytes + segmentBytes(model, tokensPerCall, segments);
  const { longest } = CALL[model.kind];
  const layer = Float32Array.BYTES_PER_ELEMENT * (model.parameters / model.layers) + callBytes(model, longest);
  const vectors = 2 * Float32Array.BYTES_PER_ELEMENT * Math.max(tokensPerCall, longest) * model.hidden;
  return PROCESS_BYTES + layer + vectors;
}
