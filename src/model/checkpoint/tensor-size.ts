import type { TensorDtype } from './types.js';

/** Bytes of one element. */
export const ELEMENT_BYTES: Record<TensorDtype, number> = { F32: 4, F16: 2, BF16: 2, I64: 8 };

/** ESM-2 15B has under 1,000 tensors. */
export const MAX_TENSORS = 100_000;
/** Our models have at most 3; torch itself stops at 64. */
const MAX_DIMENSIONS = 8;

/** Bytes of a tensor of this shape, or undefined when the shape is none: not counts, too many, or beyond any file. */
export function tensorBytes(dtype: TensorDtype, shape: readonly unknown[]): number | undefined {
  if (shape.length > MAX_DIMENSIONS || !shape.every(isCount)) return undefined;
  const bytes = shape.reduce((product, dimension) => product * dimension, ELEMENT_BYTES[dtype]);
  return isCount(bytes) ? bytes : undefined;
}

/** Whether `value` is a whole number from 0 that a double holds exactly. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
