import assert from 'node:assert/strict';
import { widen } from '../../../src/model/checkpoint/read-tensor.js';
import { firstInfinite, toFp16 } from '../../../src/model/fp16.js';

describe('toFp16', () => {
  it('rounds to the nearest number, even in a tie, subnormal ones too', () => {
    for (const [value, half] of [
      [0, 0x0000],
      [-0, 0x8000],
      [1, 0x3c00],
      [-2, 0xc000],
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [1 + 2 ** -11 + 2 ** -20, 0x3c01],
      [2 - 2 ** -12, 0x4000],
      [65504, 0x7bff],
      [-65519, 0xfbff],
      [2 ** -14, 0x0400],
      [2 ** -14 - 2 ** -26, 0x0400],
      [2 ** -24, 0x0001],
      [3 * 2 ** -25, 0x0002],
      [2 ** -25, 0x0000],
      [-(2 ** -25) * (1 + 2 ** -20), 0x8001],
      [1e-30, 0x0000],
    ] as const) {
      assert.equal(toFp16(Float32Array.of(value))[0], half, String(value));
    }
  });

  it('gives every fp16 number back', () => {
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).filter((half) => (half & 0x7c00) !== 0x7c00);
    assert.equal(all.length, 63_488);
    const bytes = new Uint8Array(all.buffer, all.byteOffset, all.byteLength);
    assert.deepEqual(toFp16(widen('F16', bytes)), all);
    assert.equal(firstInfinite(all), -1);
  });

  it('shows what is beyond fp16, infinite or NaN', () => {
    for (const value of [65_520, -70_000, 3e38, Infinity, -Infinity, NaN, -NaN]) {
      assert.equal(firstInfinite(toFp16(Float32Array.of(1, 65_519, value, 2))), 2, String(value));
    }
  });
});
