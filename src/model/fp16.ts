import { ROUNDER } from './rounder.js';

/** The largest number of fp16. */
export const FP16_LARGEST = 65_504;

/** Bits of the float32 from which on a number rounds to infinity: 65,520. */
const OVERFLOWS = 0x477ff000;

/** Bits of the smallest float32 that is a normal fp16: 2^-14. */
const NORMAL = 0x38800000;

/** Steps of numbers below it. */
const SUBNORMALS_PER_ONE = 2 ** 24;

/** The bits of the nearest fp16 numbers, even in a tie (IEEE 754); what is too large, infinite or NaN becomes infinity. */
export function toFp16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i += 1) {
    const word = words[i]!;
    const magnitude = word & 0x7fffffff;
    let half: number;
    if (magnitude >= OVERFLOWS) half = 0x7c00;
    // The exponent's bias goes from 127 to 15; a carry of the fraction into the exponent is what rounding wants.
    else if (magnitude >= NORMAL) half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    else half = Math.abs(values[i]!) * SUBNORMALS_PER_ONE + ROUNDER - ROUNDER;
    halves[i] = ((word >>> 16) & 0x8000) | half;
  }
  return halves;
}

/** Where the first number lies that is infinite or NaN in fp16; -1 when there is none. */
export function firstInfinite(halves: Uint16Array): number {
  return halves.findIndex((half) => (half & 0x7c00) === 0x7c00);
}
