import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InputError, ModelError } from '../../../src/contract/failures.js';
import type { Precision } from '../../../src/contract/models.js';
import type { ReferenceVectors } from '../../../src/inference/reference-vectors.js';
import { type Verification, verifyModel } from '../../../src/inference/verify-model.js';
import { isVerified } from '../../../src/model/stamp.js';
import { goldenModels } from '../../support/golden.js';
import { labelledReference, STATED_CLASSIFIER } from '../../support/labelled-reference.js';
import { temporaryFolder } from '../../support/tiny-models.js';

describe('verifyModel with a classifier', () => {
  const { dnaModel, proteinModel, classifier } = goldenModels;
  let cacheDir: string;
  let reference: string;

  before(async () => {
    cacheDir = await temporaryFolder();
    reference = path.join(cacheDir, 'reference.json');
    await writeFile(reference, JSON.stringify(await labelledReference()));
  });

  const verify = (model: string, precision: Precision = 'fp32', file = reference): Promise<Verification> =>
    verifyModel({ model, classifier, precision, reference: file, cacheDir, threads: 1 });

  const changed = async (change: (reference: ReferenceVectors) => void): Promise<string> => {
    const file = path.join(cacheDir, 'changed.json');
    const all = JSON.parse(await readFile(reference, 'utf8')) as ReferenceVectors;
    change(all);
    await writeFile(file, JSON.stringify(all));
    return file;
  };

  const flipped = (): Promise<string> =>
    changed(({ predictions }) => {
      predictions!.frames[2]!.label = 'others';
    });

  for (const model of [dnaModel, proteinModel]) {
    it(`gives the labels and scores of the original with ${path.basename(model)}'s vectors`, async () => {
      const found = await verify(model);
      assert.equal(found.passed, true);
      assert.deepEqual([found.labels!.classifier, found.labels!.of], [classifier, STATED_CLASSIFIER]);
      assert.deepEqual(
        found.labels!.comparisons.map((one) => [one.found.id, one.found.label]),
        [
          ['phiX174_chunk_5F3', 'others'],
          ['phiX174_chunk_5R2', 'virus'],
          ['phiX174_chunk_6F1', 'virus'],
          ['phiX174_chunk_7F2', 'virus'],
        ],
      );
      [0.2930549, 0.787148, 0.6392417, 0.6030669].forEach((score, i) => {
        const one = found.labels!.comparisons[i]!;
        assert.equal(one.stated.score2, score);
        assert.ok(Math.abs(one.found.score2 - score) < 1e-5, `${one.found.score2} ${score}`);
      });
      const stamp = JSON.parse(await readFile(found.stamp!, 'utf8')) as Record<string, unknown>;
      assert.deepEqual([stamp['classifier'], stamp['equalLabels']], [classifier, 4]);
    });
  }

  it('scores the vectors of the precision under test', async () => {
    const found = await verify(proteinModel, 'int8');
    assert.equal(found.passed, true);
    const off = found.labels!.comparisons.map((one) => Math.abs(one.found.score2 - one.stated.score2));
    assert.ok(Math.max(...off) > 1e-5 && Math.max(...off) < 0.05, String(off));
  });

  it('fails where a label differs, and takes the stamp back', async () => {
    const { digest } = await verify(proteinModel, 'int8');
    assert.equal(await isVerified(digest, 'int8', cacheDir), true);
    const found = await verify(proteinModel, 'int8', await flipped());
    assert.equal(found.passed, false);
    assert.equal(found.stamp, undefined);
    assert.deepEqual(
      found.labels!.comparisons.map((one) => one.found.label === one.stated.label),
      [true, true, false, true],
    );
    assert.equal(await isVerified(digest, 'int8', cacheDir), false);
  });

  it('without one compares no labels, and says whose there are', async () => {
    const found = await verifyModel({ model: dnaModel, reference: await flipped(), cacheDir, threads: 1 });
    assert.deepEqual([found.passed, found.labels, found.labelsOf], [true, undefined, STATED_CLASSIFIER]);
  });

  it('refuses a classifier of another width', async () => {
    const narrow = await changed(({ models }) => models['dnabert2-tiny']!.forEach(({ vector }) => vector.pop()));
    await assert.rejects(verify(proteinModel, 'fp32', narrow), (error: Error) => {
      assert.ok(error instanceof ModelError);
      assert.equal(error.what, 'classifier takes 176 features, the models give 95 + 80');
      assert.equal(error.where, classifier);
      return true;
    });
  });

  it('refuses to compare labels where none are stated, or of other frames', async () => {
    const without = await changed((all) => delete all.predictions);
    await assert.rejects(verify(dnaModel, 'fp32', without), (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.what, /^no vectors of this model: it has dnabert2-tiny, esm2-tiny$/);
      return true;
    });
    const onlyOne = await changed((all) => {
      delete all.predictions;
      delete all.models['esm2-tiny'];
    });
    await assert.rejects(
      verify(dnaModel, 'fp32', onlyOne),
      /no labels to compare with: none are stated for this model/,
    );
    const moved = await changed(({ predictions }) => predictions!.frames.reverse());
    await assert.rejects(verify(dnaModel, 'fp32', moved), /not of the same ids in the same order/);
  });
});
