import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { FaultBench, PATIENCE_MS } from '../support/faults/fault-bench.js';
import { type Tables, assertSameTables } from '../support/faults/result-tables.js';
import { goldenModels } from '../support/golden.js';
import { eventually } from '../support/processes.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

describeWithTemporal('a lane never starts', () => {
  let bench: FaultBench;
  let undisturbed: Tables;
  before(async () => {
    bench = await FaultBench.start(1);
    undisturbed = await bench.undisturbed();
  });
  after(() => bench?.close());

  it('its processes end at once: the other host does all the work, and the lane is asked less and less', async () => {
    await bench.startAgent({ host: 'broken', cpuLanes: 1 }, { exitAtStart: true });
    await bench.behave({ callMs: 500 });
    const run = await bench.run();
    const { stages } = await run.until(({ stages }) => stages['dnabert-s'].lanes.length === 2, PATIENCE_MS);
    const broken = stages['dnabert-s'].lanes.find(({ host }) => host === 'broken')!;
    await run.result(2 * PATIENCE_MS);

    const attempts = await run.attempts('dnabert-s');
    assert.ok(attempts.every(({ queue, end }) => end === 'completed' && !queue.includes(broken.lease)));
    assert.equal(await run.modelLoads(), 1 + 1);
    await assertSameTables(run.outputDir, undisturbed);
  });

  it('its model is gone: the run fails at once, names the file, and leaves no lane', async () => {
    const proteinModel = path.join(bench.dir, 'esm2-gone');
    await cp(goldenModels.proteinModel, proteinModel, { recursive: true });
    await bench.behave({ callMs: 300 });
    const run = await bench.run({ proteinModel, lanes: 1, keepWarmSeconds: 600 });
    await run.midBatch('dnabert-s', 1, PATIENCE_MS);
    await rm(proteinModel, { recursive: true });
    await bench.behave({});
    await assert.rejects(run.result(PATIENCE_MS), (error: Error) => {
      const causes: string[] = [];
      for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) causes.push(cause.message);
      return causes.some((message) => message.includes('esm2-gone'));
    });
    await eventually(() => bench.lanePids().length === 0, 15_000);
  });
});
