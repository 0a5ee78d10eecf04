import assert from 'node:assert/strict';
import { INT8_LIMIT, quantizeRows } from '../../../src/model/int8.js';

describe('quantizeRows', () => {
  it('gives each row the scale of its largest value', () => {
    const { integers, scales } = quantizeRows(Float32Array.of(0.5, -1, 0.25, 6.4, 3.2, -0.04), 3);
    assert.deepEqual([...integers], [32, -64, 16, 64, 32, 0]);
    assert.deepEqual([...scales], [1 / 64, Math.fround(Math.fround(6.4) / 64)]);
  });

  it('is off by half a step at most and stays within its range', () => {
    const values = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i * i) * 10 ** ((i % 7) - 3));
    const { integers, scales } = quantizeRows(values, 40);
    values.forEach((value, i) => {
      const scale = scales[Math.floor(i / 40)]!;
      assert.ok(Math.abs(value - integers[i]! * scale) <= 0.500001 * scale, `${value} at ${i}`);
      assert.ok(Math.abs(integers[i]!) <= INT8_LIMIT);
    });
  });

  it('takes rows of zeros, and shows those that are not finite by their scales', () => {
    const { integers, scales } = quantizeRows(Float32Array.of(0, 0, NaN, 1, -Infinity, 1), 2);
    assert.deepEqual([...integers.subarray(0, 2)], [0, 0]);
    assert.deepEqual([...scales].map(Number.isFinite), [true, false, false]);
  });
});
