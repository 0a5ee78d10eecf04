import { assertFinite } from '../../../../src/model/checkpoint/finite.js';
import { openCheckpoint } from '../../../../src/model/checkpoint/open.js';
import type { TensorDtype } from '../../../../src/model/checkpoint/types.js';
import { MODELS, put, refuses, safetensors, scratch } from './support.js';

/** Bit patterns as they lie in a file. */
const PATTERNS: Record<Exclude<TensorDtype, 'I64'>, { finite: number[]; nan: number[]; infinite: number[] }> = {
  F32: { finite: [0, 0x3f800000, 0x7f7fffff, 0xff7fffff, 1], nan: [0x7fc00000, 0xff800001], infinite: [0x7f800000] },
  F16: { finite: [0, 0x3c00, 0x7bff, 0xfbff, 1], nan: [0x7e00, 0xfc01], infinite: [0x7c00, 0xfc00] },
  BF16: { finite: [0, 0x3f80, 0x7f7f, 0xff7f, 1], nan: [0x7fc0, 0xff81], infinite: [0x7f80, 0xff80] },
};

describe('assertFinite', () => {
  let folder: string;
  let remove: () => Promise<void>;
  before(async () => ({ folder, remove } = await scratch()));
  after(() => remove());

  const open = async (dtype: string, bits: number[]): ReturnType<typeof openCheckpoint> => {
    const data = dtype === 'F32' ? Uint32Array.from(bits) : Uint16Array.from(bits);
    const bytes = new Uint8Array(data.buffer);
    const header = { w: { dtype, shape: [bits.length], data_offsets: [0, bytes.length] } };
    return openCheckpoint(await put(folder, safetensors(header, bytes)));
  };

  for (const [dtype, { finite, nan, infinite }] of Object.entries(PATTERNS)) {
    it(`finds NaN and infinity in ${dtype}, wherever they are, and takes every finite value`, async () => {
      await assertFinite(await open(dtype, finite));
      for (const [values, word] of [
        [nan, 'NaN'],
        [infinite, '-?Infinity'],
      ] as const) {
        for (const value of values) {
          for (const at of [0, 1, 4]) {
            const bits = [...finite];
            bits[at] = value;
            await refuses(assertFinite(await open(dtype, bits)), new RegExp(`tensor w holds ${word} at element ${at}`));
          }
        }
      }
    });
  }

  it('counts elements over several pieces', async () => {
    const bits = Array<number>(700_001).fill(0x3c00);
    bits[700_000] = 0x7c00;
    await refuses(assertFinite(await open('F16', bits)), /at element 700000/);
  });

  it('looks at the named tensors only', async () => {
    const data = new Float32Array([1, NaN]);
    const header = {
      good: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
      bad: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
    };
    const checkpoint = await openCheckpoint(await put(folder, safetensors(header, new Uint8Array(data.buffer))));
    await assertFinite(checkpoint, ['good']);
    await refuses(assertFinite(checkpoint), /tensor bad holds NaN at element 0.*download it again/);
    await refuses(assertFinite(checkpoint, ['absent']), /no tensor absent/);
  });

  it('passes every golden model, counters included', async () => {
    for (const model of ['dnabert2-tiny', 'esm2-tiny', 'esm2-tiny-bf16', 'classifier-tiny/tiny_model.pth']) {
      await assertFinite(await openCheckpoint(`${MODELS}/${model}`));
    }
  });
});
