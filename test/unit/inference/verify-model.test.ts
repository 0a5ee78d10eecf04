import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readReferenceVectors } from '../../../src/inference/reference-vectors.js';
import { compare, isGood, verifyModel } from '../../../src/inference/verify-model.js';
import { isVerified } from '../../../src/model/stamp.js';
import { writeSmallEsm2 } from '../../support/small-esm2.js';
import { MODELS, changedModel, goldenEmbeddings, temporaryFolder } from '../../support/tiny-models.js';

interface RealModels {
  source: string;
  /** prediction_results.txt of the 500 classifier. */
  prediction_results_500_model: string;
  records: { id: string; nucleotide: string; protein: string; dnabert_s: number[]; esm2_t36_3B: number[] }[];
}

describe('verifyModel', () => {
  let cacheDir: string;
  let reference: string;

  before(async () => {
    cacheDir = await temporaryFolder();
    const golden = (await goldenEmbeddings('esm2')).slice(0, 4);
    reference = path.join(cacheDir, 'reference.json');
    const vectors = golden.map(({ sequence, mean }, i) => ({ id: `golden-${i}`, sequence, vector: mean }));
    await writeFile(reference, JSON.stringify({ source: 'golden', models: { 'esm2-tiny': vectors } }));
  });

  it('passes a model whose vectors are the reference, and writes down what it found', async () => {
    const found = await verifyModel({ model: `${MODELS}/esm2-tiny`, reference, cacheDir, threads: 1 });
    assert.equal(found.passed, true);
    assert.equal(found.reference, 'golden');
    const [check, ...others] = found.checks;
    assert.deepEqual([check!.against, others], ['reference', []]);
    assert.deepEqual(
      check!.comparisons.map(({ id }) => id),
      ['golden-0', 'golden-1', 'golden-2', 'golden-3'],
    );
    for (const { cosine, relativeError } of check!.comparisons) {
      assert.ok(cosine > 1 - 1e-9 && relativeError < 1e-5, `${cosine} ${relativeError}`);
    }
    assert.equal(found.stamp, path.join(cacheDir, 'verified', `${found.digest}.json`));
    const stamp = JSON.parse(await readFile(found.stamp, 'utf8')) as Record<string, unknown>;
    assert.equal(stamp['digest'], found.digest);
    assert.equal(stamp['worstCosine'], Math.min(...check!.comparisons.map(({ cosine }) => cosine)));
    assert.match(String(stamp['runtime']), /^onnxruntime \d/);
    assert.match(String(stamp['date']), /^\d{4}-\d\d-\d\dT/);
  });

  it('compares int8 with the reference and with fp32, and stamps it apart', async () => {
    const found = await verifyModel({
      model: `${MODELS}/esm2-tiny`,
      precision: 'int8',
      reference,
      cacheDir,
      threads: 1,
    });
    assert.equal(found.passed, true);
    assert.deepEqual(
      found.checks.map(({ against, comparisons }) => [against, comparisons.length]),
      [
        ['reference', 4],
        ['fp32', 4],
      ],
    );
    for (const { cosine, relativeError } of found.checks.flatMap(({ comparisons }) => comparisons)) {
      assert.ok(cosine > 0.999 && cosine < 1 && relativeError > 1e-4, `${cosine} ${relativeError}`);
    }
    assert.equal(found.stamp, path.join(cacheDir, 'verified', `${found.digest}-int8.json`));
    const stamp = JSON.parse(await readFile(found.stamp, 'utf8')) as Record<string, unknown>;
    assert.deepEqual([stamp['digest'], stamp['precision']], [found.digest, 'int8']);
    assert.deepEqual(await Promise.all([found.digest, 'other'].map((one) => isVerified(one, 'int8', cacheDir))), [
      true,
      false,
    ]);
  });

  it('compares fp16 with the reference and with fp32; a CPU, which imitates it, leaves no stamp for GPUs', async () => {
    const found = await verifyModel({
      model: `${MODELS}/esm2-tiny`,
      precision: 'fp16',
      reference,
      cacheDir,
      threads: 1,
    });
    assert.deepEqual([found.passed, found.checks.map(({ against }) => against)], [true, ['reference', 'fp32']]);
    for (const { cosine } of found.checks.flatMap(({ comparisons }) => comparisons)) {
      assert.ok(cosine > 0.99999 && cosine < 1, String(cosine));
    }
    assert.equal(found.stamp, undefined);
    assert.equal(await isVerified(found.digest, 'fp16', cacheDir), false);
    const near = { id: 'x', relativeError: 5e-3 };
    for (const [cosine, against, good] of [
      [0.9991, 'fp32', true],
      [0.9989, 'fp32', false],
      [0.9989, 'reference', false],
      [0, 'alone', true],
    ] as const) {
      assert.equal(isGood({ ...near, cosine }, against, 'fp16'), good, `${against} ${cosine}`);
    }
    assert.equal(isGood({ ...near, cosine: 1 }, 'alone', 'fp32'), false);
  });

  it('refuses a model that loses too much in int8, and leaves no stamp', async () => {
    // Feature 7 is so large that a row's integers are used up for it, and no weight heeds it.
    const model = await changedModel('esm2-tiny', (tensors) => {
      for (const [name, { shape, values }] of tensors) {
        if (/layer\.\d\.(attention\.)?LayerNorm\.bias/.test(name)) values[7] = 3000;
        if (!/(query|key|value|intermediate\.dense)\.weight/.test(name)) continue;
        for (let i = 7; i < values.length; i += shape[1]!) values[i] = 0;
      }
    });
    const found = await verifyModel({ model, precision: 'int8', cacheDir, threads: 1 });
    assert.equal(found.passed, false);
    assert.equal(found.stamp, undefined);
    assert.equal(await isVerified(found.digest, 'int8', cacheDir), false);
  });

  it('refuses a model with other weights, and leaves no stamp', async () => {
    const model = await changedModel('esm2-tiny', (tensors) => {
      const weights = tensors.get('esm.encoder.layer.1.output.dense.weight')!.values;
      weights.forEach((value, i) => (weights[i] = value * 1.1));
    });
    const found = await verifyModel({ model, reference, cacheDir, threads: 1 });
    assert.equal(found.passed, false);
    assert.equal(found.stamp, undefined);
    await assert.rejects(readFile(path.join(cacheDir, 'verified', `${found.digest}.json`)));
  });

  it('refuses infinity in a tensor that no vector depends on', async () => {
    const model = await changedModel('esm2-tiny', (tensors) => {
      tensors.get('esm.contact_head.regression.bias')!.values[0] = Infinity;
    });
    const verifying = verifyModel({ model, reference, cacheDir, threads: 1 });
    await assert.rejects(verifying, /tensor esm.contact_head.regression.bias holds Infinity at element 0/);
  });

  it('compares a model without reference vectors with itself', async () => {
    const model = await writeSmallEsm2(await temporaryFolder());
    const found = await verifyModel({ model, cacheDir, threads: 1 });
    assert.equal(found.name, 'esm2-8m');
    assert.equal(found.reference, undefined);
    assert.deepEqual(
      found.checks.map(({ against, comparisons }) => [against, comparisons.length]),
      [['alone', 4]],
    );
    assert.equal(found.passed, true);
  });

  it('takes its own reference vectors by name: this is no ESM-2 3B', async () => {
    const model = await writeSmallEsm2(await temporaryFolder());
    const verifying = verifyModel({ model, name: 'esm2-3b', cacheDir, threads: 1 });
    await assert.rejects(verifying, /vectors of 2560 numbers, the model gives 320/);
  });

  it('refuses a file that has nothing for the model, or is no such file', async () => {
    const both = path.join(cacheDir, 'both.json');
    const { source, models } = await readReferenceVectors();
    await writeFile(both, JSON.stringify({ source, models }));
    const model = `${MODELS}/esm2-tiny`;
    const verify = (file: string): Promise<unknown> => verifyModel({ model, reference: file, cacheDir, threads: 1 });
    await assert.rejects(verify(both), /no vectors of this model: it has dnabert-s, esm2-3b/);
    await writeFile(both, '{"models": {}}');
    await assert.rejects(verify(both), /no file of reference vectors/);
    await writeFile(both, 'no JSON');
    await assert.rejects(verify(both), /not JSON/);
    await assert.rejects(verify(path.join(cacheDir, 'nowhere')), /cannot be read: ENOENT/);
  });
});

describe('the reference vectors of the package', () => {
  it('are the golden ones, to 7 digits', async () => {
    const text = await readFile('test/fixtures/golden/embeddings/real_models.json', 'utf8');
    const golden = JSON.parse(text) as RealModels;
    const { source, models, predictions } = await readReferenceVectors();
    assert.equal(source, golden.source);
    const table = golden.prediction_results_500_model.trimEnd().split('\n').slice(1);
    assert.deepEqual(predictions, {
      classifier: '500_model.pth',
      dna: 'dnabert-s',
      protein: 'esm2-3b',
      frames: table
        .map((line) => line.split('\t'))
        .map(([id, label, , score2]) => ({ id, label, score2: Number(score2) })),
    });
    assert.deepEqual(Object.keys(models), ['dnabert-s', 'esm2-3b']);
    golden.records.forEach(({ id, nucleotide, protein, dnabert_s, esm2_t36_3B }, i) => {
      for (const [name, sequence, vector] of [
        ['dnabert-s', nucleotide, dnabert_s],
        ['esm2-3b', protein, esm2_t36_3B],
      ] as const) {
        const shipped = models[name]![i]!;
        assert.deepEqual([shipped.id, shipped.sequence], [id, sequence]);
        const { relativeError } = compare(id, Float32Array.from(shipped.vector), Float32Array.from(vector));
        assert.ok(relativeError < 5e-7, String(relativeError));
      }
    });
  });
});

describe('compare', () => {
  it('gives cosine and relative error', () => {
    const { cosine, relativeError } = compare('x', Float32Array.of(3, 4), Float32Array.of(4, 3));
    assert.ok(Math.abs(cosine - 24 / 25) < 1e-15);
    assert.ok(Math.abs(relativeError - Math.SQRT2 / 5) < 1e-15);
    assert.ok(Number.isNaN(compare('x', Float32Array.of(0, NaN), Float32Array.of(1, 0)).relativeError));
  });
});
