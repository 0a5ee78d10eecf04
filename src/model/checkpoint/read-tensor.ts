import { ModelError } from '../../contract/failures.js';
import { withCheckpointFile } from './checkpoint-file.js';
import type { TensorDtype, TensorEntry } from './types.js';

/**
 * The values of one tensor as float32, row-major; F16 and BF16 are widened exactly. For small tensors: the whole of it
 * is loaded.
 * @throws ModelError for I64, and when the file cannot be read.
 */
export async function readTensor(entry: TensorEntry): Promise<Float32Array> {
  if (entry.dtype === 'I64') {
    throw new ModelError({
      what: `tensor ${entry.name} holds integers (I64), floats are needed (F32, F16 or BF16)`,
      where: entry.file,
      next: 'Use a checkpoint of one of the supported architectures',
    });
  }
  const bytes = await withCheckpointFile(entry.file, (file) => file.read(entry.offset, entry.bytes));
  return widen(entry.dtype, bytes);
}

/** Little-endian floats as float32. `bytes` must start 4-byte aligned in memory; for F32 the result is a view on it. */
export function widen(dtype: Exclude<TensorDtype, 'I64'>, bytes: Uint8Array): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const bits = new Uint32Array(halves.length);
  // Loops: Uint32Array.from with a function takes many times as long.
  if (dtype === 'BF16') for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  else for (let i = 0; i < halves.length; i++) bits[i] = float16ToFloat32Bits(halves[i]!);
  return new Float32Array(bits.buffer);
}

/** IEEE 754: 1 sign, 5 exponent, 10 fraction bits to 1, 8, 23; a subnormal half is a normal float. */
function float16ToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21; // brings the leading bit to where a normal half has its hidden one
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}
