import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { relativeError } from '../../src/inference/relative-error.js';
import { readEmbeddings } from '../../src/io/embeddings-file.js';
import { startCli } from '../support/cli.js';
import { describeWithDevice } from '../support/test-devices.js';
import { type GoldenEmbedding, goldenEmbeddings, MODELS, temporaryFolder } from '../support/tiny-models.js';

for (const kind of ['webgpu', 'cuda'] as const) {
  await describeWithDevice(kind, 'GPU', ({ name, env, noFp16 }) => {
    let dir: string;
    before(async () => (dir = await temporaryFolder()));
    after(() => rm(dir, { recursive: true, force: true }));

    // One each: a device in software takes seconds for its shaders and for a hundred tokens.
    for (const [model, golden, letters] of [
      ['dnabert2-tiny', 'dnabert2', 299],
      ['esm2-tiny', 'esm2', 166],
    ] as const) {
      it(`gives the golden vectors of ${model} within 1e-3`, async () => {
        const all = await goldenEmbeddings(golden);
        const { sequence, input_ids, mean } = all.find((one) => one.sequence.length === letters)!;
        assert.ok(input_ids.length > 64);
        const input = path.join(dir, `${model}.fa`);
        const output = path.join(dir, `${model}.arrow`);
        const args = ['embed', '-m', `${MODELS}/${model}`, input, '-o', output, '-d', name, '--precision', 'fp32'];
        await writeFile(input, `>s\n${sequence}\n`);
        const { code, stderr } = await startCli(args, path.join(dir, 'state'), undefined, env).ended;
        assert.equal(code, 0, stderr);
        const { vectors } = await readEmbeddings(output);
        const error = relativeError(vectors, Float32Array.from(mean));
        assert.ok(error <= 1e-3, String(error));
      }).timeout(300_000);
    }

    it('computes in fp16 unless told otherwise, or refuses that with its reason and the next step', async () => {
      const [{ sequence, mean }] = (await goldenEmbeddings('esm2')) as [GoldenEmbedding];
      const input = path.join(dir, 'fp16.fa');
      const output = path.join(dir, 'fp16.arrow');
      await writeFile(input, `>s\n${sequence}\n`);
      const args = ['embed', '-m', `${MODELS}/esm2-tiny`, input, '-o', output, '-d', name];
      const { code, stderr } = await startCli(args, path.join(dir, 'state'), undefined, env).ended;
      assert.match(stderr, /^Precision: fp16, the default on a GPU; --precision gives another\n/);
      if (noFp16 === undefined) {
        assert.equal(code, 0, stderr);
        const { vectors } = await readEmbeddings(output);
        assert.ok(relativeError(vectors, Float32Array.from(mean)) <= 1e-2);
      } else {
        assert.equal(code, 1, stderr);
        const said = stderr.slice(stderr.indexOf('error: ')).trimEnd().split('\n');
        assert.deepEqual(said, [
          `error: ${kind}: it cannot compute in fp16: ${noFp16}`,
          'Give --precision fp32; virnucpro devices lists what each device can do',
        ]);
      }
    }).timeout(300_000);
  });
}
