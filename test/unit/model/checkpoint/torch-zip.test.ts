import assert from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';
import { readFile } from 'node:fs/promises';
import { openCheckpoint } from '../../../../src/model/checkpoint/open.js';
import { readTensor } from '../../../../src/model/checkpoint/read-tensor.js';
import type { TensorOptions } from './support.js';
import {
  MODELS,
  call,
  contents,
  flip,
  floats,
  op,
  pickle,
  put,
  random,
  refuses,
  scratch,
  stateDict,
  tensor,
  torchZip,
  zip,
} from './support.js';

const STORAGES = { '0': floats(1, 2, 3, 4), '1': floats(5, 6, 7, 8) };

describe('torch zip files', () => {
  let folder: string;
  let remove: () => Promise<void>;
  before(async () => ({ folder, remove } = await scratch()));
  after(() => remove());

  const open = async (bytes: Buffer): ReturnType<typeof openCheckpoint> =>
    openCheckpoint(await put(folder, bytes, 'm.pt'));
  const openPickle = async (...parts: Buffer[]): ReturnType<typeof openCheckpoint> =>
    open(torchZip(pickle(...parts), STORAGES));
  const openTensor = async (options: TensorOptions): ReturnType<typeof openCheckpoint> =>
    openPickle(stateDict({ w: tensor(options) }));
  const valuesOf = async (options: TensorOptions): Promise<number[]> => [
    ...(await readTensor((await openTensor(options)).tensors.get('w')!)),
  ];

  describe('tensors', () => {
    it('honour storage offset, shared storages and scalars', async () => {
      assert.deepEqual(await valuesOf({}), [1, 2, 3, 4]);
      assert.deepEqual(await valuesOf({ key: '1', offset: 1, shape: [3] }), [6, 7, 8]);
      assert.deepEqual(await valuesOf({ offset: 3, shape: [] }), [4]);
      assert.deepEqual(await valuesOf({ shape: [0, 5], strides: [9, 9] }), []);
      const shared = await openPickle(stateDict({ a: tensor(), b: tensor({ offset: 2, shape: [2] }) }));
      assert.deepEqual([...(await readTensor(shared.tensors.get('b')!))], [3, 4]);
      assert.deepEqual(shared.tensors.get('a')!.shape, [2, 2]);
    });

    it('ignore the stride of a dimension of 1', async () => {
      assert.deepEqual(await valuesOf({ shape: [1, 4, 1], strides: [77, 1, 5] }), [1, 2, 3, 4]);
    });

    it('inside an OrderedDict with metadata, as parameters, under model', async () => {
      const parameter = call(
        'torch._utils',
        '_rebuild_parameter',
        tensor(),
        op.false,
        call('collections', 'OrderedDict'),
      );
      const dict = Buffer.concat([
        call('collections', 'OrderedDict'),
        op.mark,
        op.text('w'),
        parameter,
        op.setItems,
        op.emptyDict,
        op.text('_metadata'),
        call('collections', 'OrderedDict'),
        op.setItem,
        op.build,
      ]);
      const expected = await contents(await openTensor({}));
      assert.deepEqual(await contents(await openPickle(dict)), expected);
      const fair = stateDict({ args: op.none, model: dict });
      assert.deepEqual(await contents(await openPickle(fair)), expected);
    });

    const bad: Record<string, [TensorOptions, RegExp]> = {
      'end beyond their storage': [{ offset: 1 }, /tensor w needs bytes 4 to 20 of a storage of 16 bytes/],
      'start far beyond it': [{ offset: 2 ** 52 }, /tensor w needs bytes 18014398509481984/],
      'start before it': [{ offset: -1 }, /impossible shape or offset/],
      'have a negative dimension': [{ shape: [-2, -2] }, /impossible shape or offset/],
      'overflow every integer': [{ shape: [2 ** 40, 2 ** 40] }, /impossible shape or offset/],
      'are larger than any storage': [{ shape: [2 ** 40] }, /needs bytes 0 to 4398046511104/],
      'have nine dimensions': [{ shape: Array<number>(9).fill(1) }, /impossible shape or offset/],
      'are transposed': [{ strides: [1, 2] }, /tensor w is not contiguous \(shape 2 x 2\).*\.contiguous\(\)/],
      'are expanded': [{ strides: [0, 1] }, /not contiguous/],
      'have too few strides': [{ strides: [1] }, /not contiguous/],
      'name no storage': [{ key: '7' }, /storage "7", which is not there/],
      'name a storage outside': [{ key: '../data.pkl' }, /storage "\.\.\/data\.pkl", which is not there/],
      'claim a larger storage': [{ elements: 5 }, /claims 5 elements of F32 in a storage of 16 bytes/],
      'claim another type': [{ storage: 'HalfStorage' }, /claims 4 elements of F16 in a storage of 16 bytes/],
      'are of a type we do not read': [{ storage: 'DoubleStorage' }, /asks for torch\.DoubleStorage/],
    };
    for (const [name, [options, pattern]] of Object.entries(bad)) {
      it(`refused when they ${name}`, () => refuses(openTensor(options), pattern));
    }

    it('refused when they are no tensors', async () => {
      await refuses(openPickle(stateDict({ w: op.int(5) })), /tensor w is not a tensor/);
      await refuses(openPickle(stateDict({ '': tensor() })), /has no name/);
      await refuses(openPickle(op.emptyDict), /without any tensor/);
      await refuses(openPickle(op.int(5)), /no state dict/);
      await refuses(openPickle(call('torch._utils', '_rebuild_tensor_v2')), /no state dict/);
      await refuses(
        openPickle(stateDict({ w: call('torch._utils', '_rebuild_tensor_v2') })),
        /not described as torch does/,
      );
      const noStorage = [op.tuple1, op.persid, op.int(0), op.emptyTuple, op.emptyTuple];
      const fake = call('torch._utils', '_rebuild_tensor_v2', op.text('storage'), ...noStorage);
      await refuses(openPickle(stateDict({ w: fake })), /refers to no storage of a known type/);
    });
  });

  describe('whole modules', () => {
    const linear = (state: Buffer): Buffer =>
      Buffer.concat([op.global('torch.nn.modules.linear', 'Linear'), op.emptyTuple, op.newobj, state, op.build]);
    const parts = (parameters: Record<string, Buffer>, modules: Record<string, Buffer> = {}): Buffer =>
      stateDict({ _parameters: stateDict(parameters), _buffers: op.emptyDict, _modules: stateDict(modules) });

    it('give dotted names and skip empty slots', async () => {
      const module = linear(
        parts({ a: tensor(), bias: op.none }, { inner: linear(parts({ b: tensor() })), empty: op.none }),
      );
      assert.deepEqual([...(await openPickle(module)).tensors.keys()], ['a', 'inner.b']);
    });

    it('refused when they hold themselves, hold no module, or give a name twice', async () => {
      const open = [op.global('torch.nn.modules.linear', 'Linear'), op.emptyTuple, op.newobj, op.put(0)];
      await refuses(openPickle(...open, parts({}, { me: op.get(0) }), op.build), /nest deeper than 32/);
      // Each level holds the next one twice: 2^20 modules from 20 levels, without a single tensor.
      let tree = linear(parts({}));
      for (let level = 1; level <= 20; level++) {
        tree = linear(parts({}, { a: Buffer.concat([tree, op.put(level)]), b: op.get(level) }));
      }
      await refuses(openPickle(tree), /have more than 100000 slots/);
      // One module of 400 empty slots in 400 places.
      const slots = (count: number, value: (i: number) => Buffer): Record<string, Buffer> =>
        Object.fromEntries(Array.from({ length: count }, (_, i) => [`s${i}`, value(i)]));
      const wide = Buffer.concat([linear(parts(slots(400, () => op.none))), op.put(1)]);
      const many = parts({}, { first: wide, ...slots(400, () => op.get(1)) });
      await refuses(openPickle(linear(many)), /have more than 100000 slots/);
      await refuses(openPickle(linear(parts({}, { w: tensor() }))), /holds no module/);
      const twice = parts({ 'a.b': tensor() }, { a: linear(parts({ b: tensor() })) });
      await refuses(openPickle(linear(twice)), /tensor a\.b is there twice/);
      await refuses(openPickle(linear(op.none)), /no state dict/);
    });
  });

  describe('zip structure', () => {
    const good = pickle(stateDict({ w: tensor() }));
    const record = { name: 'm/data/0', data: STORAGES[0] };
    const records = [{ name: 'm/data.pkl', data: good }, record];

    it('reads plain and zip64 directories', async () => {
      const plain = await contents(await open(zip(records)));
      assert.deepEqual(await contents(await open(zip(records, { zip64: true }))), plain);
      const wide = { zip64: true, end: { records: 0xffff, bytes: 0xffffffff, offset: 0xffffffff } };
      assert.deepEqual(await contents(await open(zip(records, wide))), plain);
    });

    const bad: Record<string, [() => Buffer, RegExp]> = {
      'a compressed record': [
        () => zip([{ name: 'm/data.pkl', data: deflateRawSync(good), method: 8 }, record]),
        /m\/data\.pkl is compressed.*Save the file again/,
      ],
      'an encrypted record': [() => zip([{ ...records[0]!, flags: 1 }, record]), /m\/data\.pkl is encrypted/],
      'two records of one name': [() => zip([...records, record]), /two records named m\/data\/0/],
      'a record inside another': [
        () => {
          const inner = zip([{ name: 'm/data/1', data: floats(1) }]);
          const header = 30 + 'm/data.pkl'.length + good.length + 30 + 'm/data/0'.length;
          return zip([records[0]!, { name: 'm/data/0', data: inner }, { name: 'm/data/1', data: floats(1), header }]);
        },
        /record m\/data\/1 overlaps another/,
      ],
      'a name that climbs': [() => zip([...records, { name: 'm/../../etc/passwd', data: floats(1) }]), /unusable name/],
      'an absolute name': [() => zip([...records, { name: '/etc/passwd', data: floats(1) }]), /unusable name/],
      'a name with a backslash': [() => zip([...records, { name: 'm\\..\\x', data: floats(1) }]), /unusable name/],
      'another name in place': [
        () => zip([{ ...records[0]!, localName: 'm/data.pkx' }, record]),
        /not where the zip directory/,
      ],
      'a wrong checksum': [
        () => zip([records[0]!, { ...record, crc32: 1 }]),
        /record m\/data\/0 has checksum [0-9a-f]{8}, expected 00000001/,
      ],
      'a wrong checksum of the pickle': [() => zip([{ ...records[0]!, crc32: 1 }, record]), /data\.pkl has checksum/],
      'a record longer than the file': [
        () => zip([records[0]!, { ...record, bytes: 2 ** 31 }]),
        /lies outside the file/,
      ],
      'a record outside the file': [() => zip([records[0]!, { ...record, header: 2 ** 31 }]), /lie outside the file/],
      'zip64 sizes that are not there': [
        () => zip([records[0]!, { ...record, bytes: 2 ** 32 - 1 }]),
        /lacks its zip64 sizes/,
      ],
      'a directory outside the file': [() => zip(records, { end: { offset: 2 ** 31 } }), /not where it should be/],
      'a directory too long': [() => zip(records, { end: { bytes: 2 ** 31 } }), /not where it should be/],
      'a wrong count': [() => zip(records, { end: { records: 9 } }), /claims 9 records, 2 can be read/],
      'ends that contradict': [() => zip(records, { zip64: true, end64: { records: 9n } }), /contradict each other/],
      'a zip64 offset beyond all numbers': [
        () => zip(records, { zip64: true, end64: { offset: 2n ** 64n - 1n } }),
        /claims a size of 18446744073709551615 bytes/,
      ],
      'a zip64 count beyond all files': [
        () => zip(records, { zip64: true, end64: { records: 2n ** 40n }, end: { records: 0xffff } }),
        /1099511627776 records, allowed are/,
      ],
      'a comment after the end': [() => Buffer.concat([zip(records), Buffer.from('!')]), /was cut short/],
      'no pickle': [() => zip([record]), /0 records <name>\/data\.pkl/],
      'two pickles': [() => zip([...records, { name: 'n/data.pkl', data: good }]), /2 records <name>\/data\.pkl/],
      'big-endian weights': [
        () => zip([...records, { name: 'm/byteorder', data: Buffer.from('big') }]),
        /byte order "big", allowed is "little"/,
      ],
    };
    for (const [name, [make, pattern]] of Object.entries(bad)) {
      it(`refuses ${name}`, () => refuses(open(make()), pattern));
    }
  });

  it('answers damaged pickles in whole files with tensors inside the file or a ModelError', async () => {
    const bytes = await readFile(`${MODELS}/classifier-tiny/tiny_state_dict.pth`);
    const start = bytes.indexOf(op.proto());
    const original = bytes.subarray(start, start + 927);
    const sizes = [5632, 32, 32, 32, 32, 32, 2, 64, 2].map((count, i) => [
      String(i),
      Buffer.alloc(i === 6 ? 8 : 4 * count),
    ]);
    const storages = Object.fromEntries(sizes) as Record<string, Buffer>;
    assert.equal((await open(torchZip(original, storages))).tensors.size, 9);
    const next = random(3);
    for (let i = 0; i < 300; i++) {
      const file = torchZip(flip(original, next(original.length), next(8)), storages);
      const found = await open(file).catch((error: unknown) => error as Error);
      if (found instanceof Error) {
        assert.equal(found.name, 'ModelError', found.stack);
        continue;
      }
      for (const { offset, bytes: length } of found.tensors.values()) assert(offset + length <= file.length);
    }
  });
});
