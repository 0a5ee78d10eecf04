import assert from 'node:assert/strict';
import { copyFile, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../../../src/contract/failures.js';
import type { Precision } from '../../../src/contract/models.js';
import { readTensor } from '../../../src/model/checkpoint/read-tensor.js';
import { toFp16 } from '../../../src/model/fp16.js';
import { openModel } from '../../../src/model/model.js';
import { ReducedLayout } from '../../../src/model/reduced-layout.js';
import { reducedWeights } from '../../../src/model/reduced-weights.js';
import { changedModel, MODELS, temporaryFolder } from '../../support/tiny-models.js';

describe('reducedWeights', () => {
  let cacheDir: string;
  beforeEach(async () => (cacheDir = await temporaryFolder()));

  const layoutOf = async (model: string, precision: Precision = 'int8'): Promise<ReducedLayout> =>
    (await openModel(model, cacheDir, undefined, precision)).graph.reduced!;

  for (const name of ['esm2-tiny', 'esm2-tiny-bf16', 'dnabert2-tiny']) {
    it(`holds all tensors of ${name}, matrices as int8 with the scales of their rows`, async () => {
      const layout = await layoutOf(`${MODELS}/${name}`);
      const folder = await reducedWeights(layout, 'source', cacheDir);
      const file = await readFile(path.join(folder, 'weights.bin'));
      assert.equal(file.length, layout.bytes);
      assert.ok(layout.parts.length > 30);
      for (const part of layout.parts) {
        const values = await readTensor(part.tensor);
        const at = ({ offset, bytes }: { offset: number; bytes: number }): Buffer =>
          Buffer.from(file.subarray(offset, offset + bytes));
        if (part.form === 'as is') {
          const { file: from, offset, bytes } = part.tensor;
          assert.deepEqual(at(part.values), (await readFile(from)).subarray(offset, offset + bytes), part.tensor.name);
          continue;
        }
        assert.ok(part.form === 'int8');
        const integers = new Int8Array(at(part.values));
        const scales = new Float32Array(new Uint8Array(at(part.scales)).buffer);
        const [rows, columns] = part.tensor.shape as [number, number];
        assert.deepEqual([integers.length, scales.length], [rows * columns, rows]);
        values.forEach((value, i) => {
          const scale = scales[Math.floor(i / columns)]!;
          assert.ok(Math.abs(value - integers[i]! * scale) <= 0.500001 * scale, `${part.tensor.name} ${i}`);
        });
      }
      const matrices = layout.parts.filter(({ form }) => form === 'int8').length;
      assert.equal(matrices, name === 'dnabert2-tiny' ? 3 * 7 : 3 * 6);
    });
  }

  for (const name of ['esm2-tiny', 'esm2-tiny-bf16', 'dnabert2-tiny']) {
    it(`holds what products take of ${name} as fp16, two bytes a value`, async () => {
      const model = await openModel(`${MODELS}/${name}`, cacheDir, undefined, 'fp16');
      const layout = model.graph.reduced!;
      assert.equal(model.bytes, layout.bytes);
      const file = await readFile(path.join(await reducedWeights(layout, 'source', cacheDir), 'weights.bin'));
      const halves = layout.parts.filter(({ form }) => form === 'fp16');
      for (const { tensor, values } of halves) {
        const expected = toFp16(Float32Array.from(await readTensor(tensor)));
        assert.equal(values.bytes, 2 * expected.length);
        const found = file.subarray(values.offset, values.offset + values.bytes);
        assert.ok(found.equals(Buffer.from(expected.buffer)), tensor.name);
      }
      const matrices = halves.filter(({ tensor }) => tensor.shape.length === 2).length;
      assert.equal(matrices, name === 'dnabert2-tiny' ? 3 * 7 : 3 * 6);
      // Biases of products; those of sums in fp32 stay as they are.
      assert.equal(halves.length - matrices, name === 'dnabert2-tiny' ? 3 * 3 : 3 * 4);
    });
  }

  it('takes fp16 weights of an F16 checkpoint where they are', async () => {
    const model = await openModel(`${MODELS}/esm2-tiny-fair/esm2_tiny_half.pt`, cacheDir, undefined, 'fp16');
    assert.equal(model.graph.reduced, undefined);
    assert.equal(model.bytes, 2 * model.parameters);
  });

  it('refuses a weight that fp16 cannot hold by its name', async () => {
    const tensor = 'esm.encoder.layer.1.attention.self.key.weight';
    const model = await changedModel('esm2-tiny', (tensors) => {
      tensors.get(tensor)!.values[41] = -70_000;
    });
    await assert.rejects(reducedWeights(await layoutOf(model, 'fp16'), 'source', cacheDir), {
      name: 'ModelError',
      what: `tensor ${tensor} holds -70000 at element 41, fp16 goes to 65504`,
      next: 'Give --precision fp32',
    });
  });

  it('is written once, also by two at once, and made again when it is torn or damaged', async () => {
    const layout = await layoutOf(`${MODELS}/esm2-tiny`);
    const [folder, same] = await Promise.all([1, 2].map(() => reducedWeights(layout, 'source', cacheDir)));
    assert.equal(folder, same);
    assert.deepEqual((await readdir(folder!)).sort(), ['weights.bin', 'weights.json']);
    const file = path.join(folder!, 'weights.bin');
    const [bytes, { ino }] = [await readFile(file), await stat(file)];
    await reducedWeights(layout, 'source', cacheDir);
    assert.equal((await stat(file)).ino, ino);

    const spoil: (() => Promise<void>)[] = [
      () => truncate(file, 1000),
      () => writeFile(file, Buffer.from(bytes).fill(1, 5000, 5001)),
      () => rm(file),
      () => writeFile(path.join(folder!, 'weights.json'), '{"bytes": 1'),
    ];
    for (const one of spoil) {
      await one();
      await reducedWeights(layout, 'source', cacheDir);
      assert.ok((await readFile(file)).equals(bytes));
    }
    assert.deepEqual(await readdir(path.join(cacheDir, 'reduced')), [path.basename(folder!)]);
  });

  it('is another file for other weights', async () => {
    const layout = await layoutOf(`${MODELS}/esm2-tiny`);
    const folders = await Promise.all(['one', 'two'].map((source) => reducedWeights(layout, source, cacheDir)));
    assert.notEqual(folders[0], folders[1]);
  });

  it('takes the place of what the same files gave when they held other weights, in whichever precision', async () => {
    const [mine, other] = [await changedModel('esm2-tiny', () => {}), await changedModel('esm2-tiny', () => {})];
    const make = async (model: string, source: string, precision: Precision): Promise<string> =>
      path.basename(await reducedWeights(await layoutOf(model, precision), source, cacheDir));
    const before = [await make(mine, 'before', 'int8'), await make(mine, 'before', 'fp16')];
    const others = await make(other, 'elsewhere', 'int8');
    const folders = async (): Promise<string[]> => (await readdir(path.join(cacheDir, 'reduced'))).sort();
    assert.deepEqual(await folders(), [...before, others].sort());
    const after = [await make(mine, 'after', 'int8')];
    assert.deepEqual(await folders(), [...after, others].sort());
    after.push(await make(mine, 'after', 'fp16'));
    assert.deepEqual(await folders(), [...after, others].sort(), 'both precisions of the same weights stay');
  });

  it('leaves that of another revision, which shares a shard with this one', async () => {
    const layout = await layoutOf(`${MODELS}/esm2-tiny/pytorch_model.bin.index.json`);
    const shards = [...new Set(layout.parts.map(({ tensor }) => tensor.file))].sort();
    assert.ok(shards.length > 1);
    const elsewhere = path.join(cacheDir, 'other-shard');
    await copyFile(shards[0]!, elsewhere);
    const parts = layout.parts.map((part) =>
      part.tensor.file === shards[0] ? { ...part, tensor: { ...part.tensor, file: elsewhere } } : part,
    );
    const revision = Object.assign(new ReducedLayout(), { parts, bytes: layout.bytes });
    const first = await reducedWeights(layout, 'one', cacheDir);
    const second = await reducedWeights(revision, 'two', cacheDir);
    const folders = (await readdir(path.join(cacheDir, 'reduced'))).sort();
    assert.deepEqual(folders, [first, second].map((folder) => path.basename(folder)).sort());
  });

  it('removes what a writer that was killed left', async () => {
    const layout = await layoutOf(`${MODELS}/esm2-tiny`);
    const folder = await reducedWeights(layout, 'source', cacheDir);
    await rm(path.join(folder, 'weights.json'));
    await writeFile(path.join(folder, 'weights.bin.4711-x-1.tmp'), 'torn');
    await reducedWeights(layout, 'source', cacheDir);
    assert.deepEqual((await readdir(folder)).sort(), ['weights.bin', 'weights.json']);
  });

  it('refuses a weight that is not finite, and leaves no file', async () => {
    const tensor = 'esm.encoder.layer.2.output.dense.weight';
    const model = await changedModel('esm2-tiny', (tensors) => {
      tensors.get(tensor)!.values[77] = NaN;
    });
    const layout = await layoutOf(model);
    await assert.rejects(reducedWeights(layout, 'source', cacheDir), (error: Error) => {
      assert.ok(error instanceof ModelError);
      assert.ok(error.message.includes(`tensor ${tensor} holds NaN at element 77`), error.message);
      return true;
    });
    const [folder] = await readdir(path.join(cacheDir, 'reduced'));
    assert.deepEqual(await readdir(path.join(cacheDir, 'reduced', folder!)), []);
  });
});

describe('ReducedLayout', () => {
  it('places tensors beyond 4 GB', () => {
    const layout = new ReducedLayout();
    const matrix = { name: 'w', dtype: 'F32' as const, shape: [10_240, 2560], file: '', offset: 0, bytes: 104_857_600 };
    for (let i = 0; i < 170; i += 1) layout.addInt8(matrix);
    const one = 10_240 * 2560 + 4 * 10_240;
    assert.deepEqual(layout.addInt8(matrix), {
      values: { offset: 170 * one, bytes: 10_240 * 2560 },
      scales: { offset: 170 * one + 10_240 * 2560, bytes: 40_960 },
    });
    assert.equal(layout.addAsIs({ ...matrix, bytes: 10 }), 171 * one);
    assert.equal(layout.addAsIs(matrix), 171 * one + 64);
  });
});
