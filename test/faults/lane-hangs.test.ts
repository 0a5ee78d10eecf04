import assert from 'node:assert/strict';
import { HEARTBEAT_MS, PATIENCE_MS, SLOW_CALL_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';
import { eventually } from '../support/processes.js';

describeWithBench('a lane gets nowhere', 2, (scene) => {
  it('SIGSTOP: its agent gets no answer, kills it and starts another; nothing is computed twice', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 1000 });
    const run = await bench.run();
    await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    const { pid } = await run.midBatch('dnabert-s', 2, PATIENCE_MS);
    process.kill(pid, 'SIGSTOP');
    await bench.behave({ callMs: SLOW_CALL_MS });
    await eventually(() => !bench.lanePids().includes(pid), 2 * HEARTBEAT_MS + 2_000);
    await run.lanePids('dnabert-s', 2, PATIENCE_MS, [pid]);
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);
    const completed = (await run.attempts('dnabert-s')).filter(({ end }) => end === 'completed');
    assert.equal(completed.length, (await run.progress()).stages['dnabert-s'].batches);
    await assertSameTables(run.outputDir, undisturbed);
  });

  it('a model call never returns: the lane is killed after the limit and started again', async () => {
    const { bench, undisturbed } = scene;
    const stalledMs = 2 * SLOW_CALL_MS;
    await bench.behave({ callMs: 1000 });
    const run = await bench.run({ stalledMs });
    await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    const { lanes } = (await run.progress()).stages['dnabert-s'];
    const { pid, device } = lanes[0]!;
    await bench.behave({ callMs: 1000, faults: [{ device, then: 'hang' }] });
    // The call under way returns, the next one does not.
    await eventually(() => !bench.lanePids().includes(pid), 1000 + stalledMs + 2 * HEARTBEAT_MS);
    await bench.behave({ callMs: SLOW_CALL_MS });
    await run.lanePids('dnabert-s', 2, PATIENCE_MS, [pid]);
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);
    await assertSameTables(run.outputDir, undisturbed);
    // One that was stopped and one that hung.
    const metrics = await bench.metrics();
    assert.equal(metrics.sum('virnucpro_lane_losses_total', { stage: 'dnabert-s', cause: 'hung' }), 2);
    assert.equal(metrics.sum('virnucpro_lane_losses_total'), 2);
  });
});
