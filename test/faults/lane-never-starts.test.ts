import assert from 'node:assert/strict';
import { cp, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';
import { goldenModels } from '../support/golden.js';

describeWithBench('a lane never starts', 1, (scene) => {
  it('its processes end at once: the other host does all the work, and the lane is asked less and less', async () => {
    const { bench, undisturbed } = scene;
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

  it('its model is gone from the host: the run waits, says why, and goes on when the model is back', async () => {
    const { bench, undisturbed } = scene;
    const proteinModel = path.join(bench.dir, 'esm2');
    await cp(goldenModels.proteinModel, proteinModel, { recursive: true });
    await bench.behave({ callMs: 300 });
    const run = await bench.run({ proteinModel, lanes: 1 });
    await run.midBatch('dnabert-s', 1, PATIENCE_MS);
    await rename(proteinModel, `${proteinModel}-away`);
    await bench.behave({});
    const reason = `${hostname()}: no model at ${proteinModel}`;
    await run.until(({ stages }) => stages['esm-2'].waitingFor?.includes(reason) === true, PATIENCE_MS);
    await rename(`${proteinModel}-away`, proteinModel);
    await run.result(2 * PATIENCE_MS);
    await assertSameTables(run.outputDir, undisturbed);
  });
});
