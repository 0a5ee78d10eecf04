import assert from 'node:assert/strict';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { holdPort } from '../support/faults/port-holder.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';

describeWithBench('the server dies', 2, (scene) => {
  it('SIGKILL, back before any heartbeat is missed: every batch is tried once, by the same processes', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 500 });
    const run = await bench.run({ heartbeatMs: 20_000 });
    const pids = await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    await run.midBatch('dnabert-s', 3, PATIENCE_MS);
    process.kill(bench.serverPid, 'SIGKILL');
    await run.until(({ stages }) => stages['dnabert-s'].done > 8, PATIENCE_MS);
    assert.deepEqual(await run.lanePids('dnabert-s', 2, PATIENCE_MS), pids);
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);

    const attempts = await run.attempts('dnabert-s');
    assert.ok(attempts.every(({ end }) => end === 'completed'));
    const { batches } = (await run.progress()).stages['dnabert-s'];
    assert.equal(attempts.length, batches);
    assert.equal(await run.modelLoads(), 2 + 2);
    await assertSameTables(run.outputDir, undisturbed);
  });

  it('SIGKILL, away longer than every heartbeat: the same processes go on, no model is loaded again', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 1000 });
    const heartbeatMs = 2_000;
    const run = await bench.run({ heartbeatMs, keepWarmSeconds: 60 });
    const pids = await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    await run.midBatch('dnabert-s', 3, PATIENCE_MS);
    process.kill(bench.serverPid, 'SIGKILL');
    await holdPort(bench.serverPort, 3 * heartbeatMs);
    const { done } = (await run.until(() => true, PATIENCE_MS)).stages['dnabert-s'];
    await run.until(({ stages }) => stages['dnabert-s'].done > done + 4, PATIENCE_MS);
    assert.deepEqual(await run.lanePids('dnabert-s', 2, PATIENCE_MS), pids);
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);
    assert.equal(await run.modelLoads(), 2 + 2);
    await assertSameTables(run.outputDir, undisturbed);
  });
});
