import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { requestOf } from '../../../src/cli/run-request.js';
import { assertFitHere, inspectModelsHere } from '../../../src/cli/service-models.js';
import { openCheckpoint } from '../../../src/model/checkpoint/open.js';
import { encoderDigest, weightsDigest } from '../../../src/model/content-digest.js';
import { openModel } from '../../../src/model/model.js';
import { testRunOptions } from '../../support/campaign.js';
import { goldenModels } from '../../support/golden.js';
import { changedModel, temporaryFolder } from '../../support/tiny-models.js';

describe('requestOf', () => {
  it('has the digests of models that were opened once, which also tells whether they fit', async () => {
    const dir = await temporaryFolder();
    const [dnaModel, proteinModel] = [path.join(dir, 'dna'), path.join(dir, 'protein')];
    await cp(goldenModels.dnaModel, dnaModel, { recursive: true });
    await cp(goldenModels.proteinModel, proteinModel, { recursive: true });
    const run = testRunOptions(dir, { dnaModel, proteinModel });
    const models = await inspectModelsHere(run);
    await rm(dir, { recursive: true });

    const request = requestOf(run, models);
    const expected = [goldenModels.dnaModel, goldenModels.proteinModel].map(async (model) =>
      encoderDigest(await openModel(model, dir), dir),
    );
    assert.deepEqual([request.dnaModel, request.proteinModel], await Promise.all(expected));
    assert.equal(request.classifier, await weightsDigest(await openCheckpoint(goldenModels.classifier), dir));
    assertFitHere(models);
    const { dna, protein, classifier } = models;
    const others = { ...models, dna: { ...dna!, hidden: 768 } };
    assert.throws(() => assertFitHere(others), {
      name: 'ModelError',
      what: `the classifier takes ${classifier!.inputSize} features, but the encoders give 768 + 80 = 848`,
      where: `${goldenModels.classifier}; ${dnaModel}; ${proteinModel}`,
    });
    assert.equal(protein!.hidden, 80);
  });

  it('has the names of models that are not on this machine, and then nothing is said of their fit', async () => {
    const proteinModel = await changedModel('esm2-tiny', () => {});
    const run = testRunOptions('/out', { dnaModel: '/on/the/hosts', proteinModel, classifier: '/on/them/c.pth' });
    const models = await inspectModelsHere(run);
    assert.deepEqual(Object.keys(models), ['protein']);
    assertFitHere(models);
    const request = requestOf(run, models);
    assert.equal(request.dnaModel, 'not here: /on/the/hosts');
    assert.equal(request.classifier, 'not here: /on/them/c.pth');
    assert.match(request.proteinModel, /^[0-9a-f]{64}$/);
  });
});
