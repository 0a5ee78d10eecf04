import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { flipByte } from '../support/faults/corrupt.js';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';

const FRAMES = '.virnucpro/work/frames';
const EMBEDDINGS = 'embeddings/dnabert-s';

describeWithBench('an artifact is corrupt', 2, (scene) => {
  it('a byte of a frames batch and of an embeddings file flips in mid-run: both are made again', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 300 });
    const run = await bench.run();
    await run.until(({ stages }) => stages['esm-2'].done >= 1, PATIENCE_MS);
    await flipByte(path.join(run.outputDir, FRAMES, 'batch-00019.arrow'));
    await flipByte(path.join(run.outputDir, EMBEDDINGS, 'batch-00002.arrow'));
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);

    const attempts = await run.attempts('dnabert-s');
    const twice = [...new Set(attempts.map(({ index }) => index))].filter(
      (index) => attempts.filter((attempt) => attempt.index === index).length > 1,
    );
    assert.deepEqual(twice, [1], 'only the flipped embeddings are computed again');
    await assertSameTables(run.outputDir, undisturbed);
  });

  it('a resume computes what is flipped, missing or unfinished, and nothing else', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 300 });
    const first = await bench.run();
    await first.until(({ stages }) => stages['dnabert-s'].done >= 8, PATIENCE_MS);
    await first.handle.cancel();
    await assert.rejects(first.result(PATIENCE_MS));
    const finished = (await first.attempts('dnabert-s')).filter(({ end }) => end === 'completed');
    const [flipped, missing, ...kept] = finished.map(({ index }) => index).sort((a, b) => a - b) as [number, number];
    const file = (index: number): string => `batch-${String(index + 1).padStart(5, '0')}.arrow`;
    await flipByte(path.join(first.outputDir, EMBEDDINGS, file(flipped)));
    await rm(path.join(first.outputDir, EMBEDDINGS, file(missing)));

    await bench.behave({});
    const second = await bench.run({ outputDir: first.outputDir });
    await second.result(2 * PATIENCE_MS);
    const computed = (await second.attempts('dnabert-s')).map(({ index }) => index);
    assert.ok(computed.includes(flipped) && computed.includes(missing));
    assert.deepEqual(
      kept.filter((index) => computed.includes(index)),
      [],
    );
    await assertSameTables(second.outputDir, undisturbed);
  });
});
