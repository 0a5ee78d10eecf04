import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { openCheckpoint } from '../../../../src/model/checkpoint/open.js';
import { MODELS, flip, floats, put, random, refuses, safetensors, scratch } from './support.js';

const info = (start: number, end: number, extra: object = {}): object => ({
  dtype: 'F32',
  shape: [(end - start) / 4],
  data_offsets: [start, end],
  ...extra,
});

describe('safetensors files', () => {
  let folder: string;
  let remove: () => Promise<void>;
  before(async () => ({ folder, remove } = await scratch()));
  after(() => remove());

  const open = async (bytes: Buffer): ReturnType<typeof openCheckpoint> =>
    openCheckpoint(await put(folder, bytes, 'm.bin'));

  it('gives places, and skips the metadata', async () => {
    const header = { __metadata__: { format: 'pt:"x"' }, b: info(8, 12), 'a"\\': info(0, 8), none: info(8, 8) };
    const file = safetensors(header, floats(1, 2, 3));
    const { tensors } = await open(file);
    const start = file.length - 12;
    assert.deepEqual(
      [...tensors.values()].map(({ name, offset, bytes, shape }) => [name, offset - start, bytes, shape]),
      [
        ['b', 8, 4, [1]],
        ['a"\\', 0, 8, [2]],
        ['none', 8, 0, [0]],
      ],
    );
  });

  const two = floats(1, 2);
  const bad: Record<string, [Buffer, RegExp]> = {
    'overlapping tensors': [safetensors({ a: info(0, 8), b: info(4, 8) }, two), /b overlaps another or leaves a gap/],
    'the same bytes twice': [safetensors({ a: info(0, 8), b: info(0, 8) }, two), /overlaps another/],
    'a gap': [safetensors({ a: info(4, 8) }, two), /a overlaps another or leaves a gap/],
    'offsets beyond the file': [safetensors({ a: info(0, 16) }, two), /tensors end at byte \d+, the file at/],
    'bytes after the last tensor': [safetensors({ a: info(0, 4) }, two), /tensors end at byte/],
    'offsets that run backwards': [
      safetensors({ a: info(0, 8, { data_offsets: [8, 0] }) }, two),
      /does not take -8 bytes/,
    ],
    'a negative offset': [safetensors({ a: info(0, 8, { data_offsets: [-4, 4] }) }, two), /tensor a: data_offsets\.0/],
    'an unknown type': [
      safetensors({ a: info(0, 8, { dtype: 'F64', shape: [1] }) }, two),
      /type F64, allowed are F32, F16/,
    ],
    'an inherited name as type': [safetensors({ a: info(0, 8, { dtype: 'toString' }) }, two), /type toString, allowed/],
    'a type that does not fit': [safetensors({ a: info(0, 8, { dtype: 'F16' }) }, two), /F16 2 does not take 8 bytes/],
    'a negative dimension': [safetensors({ a: info(0, 8, { shape: [-1, -2] }) }, two), /tensor a: shape\.0/],
    'a fractional dimension': [safetensors({ a: info(0, 8, { shape: [0.5, 4] }) }, two), /tensor a: shape\.0/],
    'a shape beyond all numbers': [
      safetensors({ a: info(0, 8, { shape: [2 ** 40, 2 ** 40] }) }, two),
      /does not take 8 bytes/,
    ],
    'a missing field': [safetensors({ a: { dtype: 'F32', shape: [2] } }, two), /tensor a: data_offsets/],
    'an extra field': [safetensors({ a: info(0, 8, { more: 1 }) }, two), /tensor a: /],
    'a tensor that is none': [safetensors({ a: 5 }, two), /tensor a: /],
    'a name twice': [
      safetensors(
        `{"a":${JSON.stringify(info(0, 8))},"a":${JSON.stringify(info(0, 8, { dtype: 'F16', shape: [4] }))}}`,
        two,
      ),
      /a name twice/,
    ],
    'a field twice': [
      safetensors('{"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}', two),
      /a name twice/,
    ],
    'a header that nests': [
      safetensors({ a: info(0, 8, { shape: [{ x: 1 }] }) }, two),
      /a name twice or nests too deep/,
    ],
    'a header of brackets': [safetensors(`{"a":${'['.repeat(100_000)}`, two), /header is not JSON/],
    'a header that is cut': [safetensors('{"a":', two), /header is not JSON/],
    'a header longer than the file': [safetensors({ a: info(0, 8) }, two, 5000n), /header of 5000 bytes in a file of/],
    'a header beyond the limit': [safetensors({ a: info(0, 8) }, two, 16_777_217n), /allowed are 16777216/],
    'a header beyond all numbers': [
      safetensors({ a: info(0, 8) }, two, 2n ** 64n - 1n),
      /header of 18446744073709551615/,
    ],
    'no tensor': [safetensors({ __metadata__: { format: 'pt' } }), /without any tensor/],
  };
  for (const [name, [bytes, pattern]] of Object.entries(bad)) {
    it(`refuses ${name}`, () => refuses(open(bytes), pattern));
  }

  it('takes names that objects inherit as plain names', async () => {
    const header = `{"__proto__":${JSON.stringify(info(0, 4))},"constructor":${JSON.stringify(info(4, 8))}}`;
    assert.deepEqual([...(await open(safetensors(header, two))).tensors.keys()], ['__proto__', 'constructor']);
  });

  it('answers flipped header bits with tensors inside the file or a ModelError', async () => {
    const whole = await readFile(`${MODELS}/classifier-tiny/tiny.safetensors`);
    const headerBytes = 8 + Number(whole.readBigUInt64LE());
    const next = random(4);
    for (let i = 0; i < 300; i++) {
      const found = await open(flip(whole, next(headerBytes), next(8))).catch((error: unknown) => error as Error);
      if (found instanceof Error) {
        assert.equal(found.name, 'ModelError', found.stack);
        continue;
      }
      for (const { offset, bytes } of found.tensors.values()) assert(offset + bytes <= whole.length);
    }
  });
});
