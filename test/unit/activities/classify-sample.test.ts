import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { open, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { classifySample } from '../../../src/activities/classify-sample.js';
import { splitInput } from '../../../src/activities/split-input.js';
import type { ModelRef } from '../../../src/contract/models.js';
import type { SplitOutput } from '../../../src/contract/run.js';
import { sampleOf, testRunOptions } from '../../support/campaign.js';
import { goldenModels } from '../../support/golden.js';
import { temporaryFolder } from '../../support/tiny-models.js';

describe('activities/classify-sample', () => {
  it('ends with its cancellation while it splits the input again, and leaves no file of that', async () => {
    const dir = await temporaryFolder();
    const input = path.join(dir, 'input.fa');
    const options = testRunOptions(path.join(dir, 'out'), { keepIntermediate: true });
    const sample = sampleOf(input);
    await writeFile(input, '>a\nAC\n');
    const split = await new MockActivityEnvironment().run((): Promise<SplitOutput> => splitInput({ sample, options }));
    assert.equal(split.frames, 0);
    // As long as nobody closes it, a pipe has no end; and the sample is not finished, so nothing else reads its input.
    await rm(input);
    execFileSync('mkfifo', [input]);
    const encoder: ModelRef = {
      path: 'x',
      digest: 'x',
      kind: 'esm2',
      hidden: 1,
      layers: 1,
      heads: 1,
      intermediate: 1,
      parameters: 1,
      bytes: 1,
      precision: 'fp32',
      verified: false,
    };
    const classifier = { path: goldenModels.classifier, digest: 'x', inputSize: 2 };
    const models = { dna: encoder, protein: encoder, classifier };
    const environment = new MockActivityEnvironment();
    const classified = environment.run(() =>
      classifySample({ sample, split, models, options, stages: split.manifest }),
    );
    const ended = assert.rejects(classified, CancelledFailure);
    // Resolves when the other end is open.
    const pipe = await open(input, 'w');
    await pipe.write('>a\nACGTACGT\n');
    environment.cancel();
    await pipe.close();
    await ended;
    const left = (await readdir(options.outputDir)).filter((name) => /chunked|identified/.test(name));
    assert.deepEqual(left, []);
  });
});
