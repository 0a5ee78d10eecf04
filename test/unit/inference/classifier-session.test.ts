import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ModelError } from '../../../src/contract/failures.js';
import { Classifier } from '../../../src/inference/classifier-session.js';

const models = 'test/fixtures/golden/models';
const golden = JSON.parse(readFileSync('test/fixtures/golden/embeddings/classifier.json', 'utf8')) as {
  features: number[][];
  softmax: number[][];
};

describe('Classifier', () => {
  const features = Float32Array.from(golden.features.flat());

  for (const file of ['tiny.safetensors', 'tiny_model.pth', 'tiny_state_dict.pth']) {
    it(`gives the reference's probabilities from ${file}`, async () => {
      const classifier = await Classifier.open({ path: `${models}/classifier-tiny/${file}`, threads: 1 });
      const probabilities = await classifier.predict(features);
      await classifier.close();
      assert.equal(classifier.inputSize, 176);
      const expected = golden.softmax.flat();
      assert.equal(probabilities.length, expected.length);
      probabilities.forEach((p, i) => assert.ok(Math.abs(p - expected[i]!) < 1e-6, `${i}: ${p} ${expected[i]}`));
    });
  }

  it('gives a row the same bits alone, among others and with two threads', async () => {
    const path = `${models}/classifier-tiny/tiny.safetensors`;
    const one = await Classifier.open({ path, threads: 1 });
    const two = await Classifier.open({ path, threads: 2 });
    const many = Float32Array.from({ length: 150 * 176 }, (_, i) => features[i % features.length]!);
    const all = await one.predict(many);
    assert.equal(all.length, 300);
    for (const row of [0, 1, 70, 149]) {
      const alone = await one.predict(many.slice(row * 176, (row + 1) * 176));
      assert.deepEqual(alone, all.slice(row * 2, row * 2 + 2));
    }
    assert.deepEqual(await two.predict(many), all);
    assert.deepEqual(await one.predict(new Float32Array(0)), new Float32Array(0));
    await Promise.all([one.close(), two.close()]);
  });

  it('refuses features of another length and checkpoints of another kind', async () => {
    const path = `${models}/classifier-tiny/tiny.safetensors`;
    const classifier = await Classifier.open({ path, threads: 1 });
    await assert.rejects(classifier.predict(new Float32Array(177)), ModelError);
    await classifier.close();
    await assert.rejects(
      Classifier.open({ path: `${models}/esm2-tiny`, threads: 1 }),
      (error: Error) => error instanceof ModelError && error.message.includes('hidden_layer.weight is missing'),
    );
  });
});
