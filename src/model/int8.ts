import { ROUNDER } from './rounder.js';

/**
 * Weights use -64 to 64 of int8's range. x86 processors without VNNI add two products of u8 x s8 in 16 bits, which hold
 * 2 x 255 x 64 but not 2 x 255 x 127: with more, they give other (and wrong) sums than the others.
 */
export const INT8_LIMIT = 64;

/** Rows of a matrix as integers: value = integer x scale of its row. */
export interface Int8Rows {
  integers: Int8Array;
  /** NaN or infinite where the row holds such. */
  scales: Float32Array;
}

/** Quantizes rows of `columns` values, each by its largest: symmetric, so that zero stays zero. */
export function quantizeRows(values: Float32Array, columns: number): Int8Rows {
  const rows = values.length / columns;
  const integers = new Int8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const end = (row + 1) * columns;
    let largest = 0;
    for (let i = end - columns; i < end; i += 1) largest = Math.max(largest, Math.abs(values[i]!));
    scales[row] = largest === 0 ? 1 : largest / INT8_LIMIT;
    const perUnit = 1 / scales[row]!;
    for (let i = end - columns; i < end; i += 1) integers[i] = values[i]! * perUnit + ROUNDER - ROUNDER;
  }
  return { integers, scales };
}
