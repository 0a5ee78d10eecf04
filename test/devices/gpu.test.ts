import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { relativeError } from '../../src/inference/relative-error.js';
import { readEmbeddings } from '../../src/io/embeddings-file.js';
import { startCli } from '../support/cli.js';
import { describeWithDevice } from '../support/test-devices.js';
import { goldenEmbeddings, MODELS, temporaryFolder } from '../support/tiny-models.js';

for (const kind of ['webgpu', 'cuda'] as const) {
  await describeWithDevice(kind, 'GPU', ({ name, env }) => {
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
        const args = ['embed', '-m', `${MODELS}/${model}`, input, '-o', output, '-d', name];
        await writeFile(input, `>s\n${sequence}\n`);
        const { code, stderr } = await startCli(args, path.join(dir, 'state'), undefined, env).ended;
        assert.equal(code, 0, stderr);
        const { vectors } = await readEmbeddings(output);
        const error = relativeError(vectors, Float32Array.from(mean));
        assert.ok(error <= 1e-3, String(error));
      }).timeout(300_000);
    }
  });
}
