import assert from 'node:assert/strict';
import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../../../src/contract/failures.js';
import { readTensor } from '../../../src/model/checkpoint/read-tensor.js';
import { openModel } from '../../../src/model/model.js';
import { ReducedLayout } from '../../../src/model/reduced-layout.js';
import { reducedWeights } from '../../../src/model/reduced-weights.js';
import { changedModel, MODELS, temporaryFolder } from '../../support/tiny-models.js';

describe('reducedWeights', () => {
  let cacheDir: string;
  beforeEach(async () => (cacheDir = await temporaryFolder()));

  const layoutOf = async (model: string): Promise<ReducedLayout> =>
    (await openModel(model, cacheDir, undefined, 'int8')).graph.reduced!;

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
