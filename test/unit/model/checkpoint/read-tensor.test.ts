import assert from 'node:assert/strict';
import { readTensor, widen } from '../../../../src/model/checkpoint/read-tensor.js';
import { openCheckpoint } from '../../../../src/model/checkpoint/open.js';
import { MODELS, refuses } from './support.js';

describe('readTensor', () => {
  it('widens every half exactly', () => {
    const halves = Uint16Array.from({ length: 1 << 16 }, (_, i) => i);
    const wide = widen('F16', new Uint8Array(halves.buffer));
    for (const half of halves) {
      const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, half & 1023];
      const special = fraction === 0 ? sign * Infinity : NaN;
      const normal = sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
      const expected = exponent === 31 ? special : exponent === 0 ? sign * fraction * 2 ** -24 : normal;
      assert(Object.is(wide[half], expected), `half ${half}: ${wide[half]} is not ${expected}`);
    }
  });

  it('widens bfloat16 by its bits', () => {
    const bits = new Uint16Array([0x3f80, 0xc000, 0x0001, 0x7f80, 0x8000]);
    assert.deepEqual([...widen('BF16', new Uint8Array(bits.buffer))], [1, -2, 2 ** -133, Infinity, -0]);
  });

  it('refuses integers', async () => {
    const { tensors } = await openCheckpoint(`${MODELS}/classifier-tiny/tiny_model.pth`);
    await refuses(
      readTensor(tensors.get('bn1.num_batches_tracked')!),
      /bn1\.num_batches_tracked holds integers \(I64\)/,
    );
  });
});
