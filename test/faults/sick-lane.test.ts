import assert from 'node:assert/strict';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';

// A retired device serves no other test.
describeWithBench('a sick device fails everything', 2, (scene) => {
  it('its lane is restarted, then retired; it costs two attempts and loses nothing', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 500 });
    const run = await bench.run({ batchSequences: 2 });
    await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    await run.until(({ stages }) => stages['dnabert-s'].done >= 2, PATIENCE_MS);
    await bench.behave({ callMs: 500, faults: [{ device: 'cpu:1', then: 'throw' }] });
    await run.result(2 * PATIENCE_MS);

    const attempts = [...(await run.attempts('dnabert-s')), ...(await run.attempts('esm-2'))];
    const failed = attempts.filter(({ end }) => end === 'failed');
    assert.ok(failed.length > 0 && failed.length <= 2, `${failed.length} attempts failed`);
    assert.ok(failed.every(({ queue }) => queue.includes('cpu:1')));
    assert.ok((await bench.agentLog()).includes('"msg":"lane retired"'));
    const metrics = await bench.metrics();
    const [sick, other] = [{ device: 'cpu:1' }, { device: 'cpu:0' }];
    const causes = ['sick', 'crash', 'hung', 'killed', 'memory'];
    const losses = causes.map((cause) => metrics.sum('virnucpro_lane_losses_total', { ...sick, cause }));
    assert.deepEqual(losses, [2, 0, 0, 0, 0]);
    assert.equal(metrics.sum('virnucpro_lane_losses_total', other), 0);
    assert.equal(metrics.sum('virnucpro_device_retired', sick), 1);
    assert.equal(metrics.sum('virnucpro_device_retired', other), 0);
    await assertSameTables(run.outputDir, undisturbed);
  });
});

describeWithBench('a sick device gives NaN for everything', 2, (scene) => {
  it('its lane is retired, no sequence is quarantined', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 500 });
    const run = await bench.run({ batchSequences: 2, lanes: 1 });
    const [pid] = await run.lanePids('dnabert-s', 1, PATIENCE_MS);
    const [lane] = (await run.progress()).stages['dnabert-s'].lanes;
    await bench.behave({ callMs: 500, faults: [{ device: lane!.device, then: 'nan' }] });
    await run.lanePids('dnabert-s', 1, PATIENCE_MS, [pid!]);
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);
    await assertSameTables(run.outputDir, undisturbed);
  });
});
