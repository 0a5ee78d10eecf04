import assert from 'node:assert/strict';
import { HEARTBEAT_MS, PATIENCE_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';

describeWithBench('a host is drained', 1, (scene) => {
  it('SIGTERM of its agent (a spot notice): batches are handed back at once, it ends with exit code 0', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 1000 });
    const spot = await bench.startAgent({ host: 'spot', cpuLanes: 2 });
    const run = await bench.run({ lanes: 3 });
    await run.lanePids('dnabert-s', 3, PATIENCE_MS);
    const { lanes } = (await run.progress()).stages['dnabert-s'];
    await run.midBatch('dnabert-s', 3, PATIENCE_MS);
    const askedAt = Date.now();
    assert.equal(await spot.kill('SIGTERM'), 0);
    assert.ok(Date.now() - askedAt < 15_000, `drained in ${Date.now() - askedAt} ms`);
    assert.equal(bench.lanePids().length, 1, 'its lanes ended with it');
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);

    const leases = lanes.filter(({ host }) => host === 'spot').map(({ lease }) => lease);
    const attempts = await run.attempts('dnabert-s');
    const back = attempts.filter(({ end, queue }) => end !== 'completed' && leases.includes(queue.split('#')[1]!));
    assert.ok(back.length > 0 && back.every(({ end }) => end !== 'timed out'), 'handed back, not found dead');
    for (const { index } of back) {
      const again = attempts.find((attempt) => attempt.index === index && attempt.scheduledAt > askedAt)!;
      assert.ok(again.scheduledAt - askedAt <= HEARTBEAT_MS + 1000, `moved after ${again.scheduledAt - askedAt} ms`);
    }
    const embedded = await run.embedded('dnabert-s');
    assert.deepEqual(embedded, [...new Set(embedded)], 'what a lane finished on its way out is not done again');
    await assertSameTables(run.outputDir, undisturbed);
  });
});
