import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';

describeWithBench('lanes are taken away', 2, (scene) => {
  it('drained by a person: the run does not use the lane again, before it may have more', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 1000 });
    const run = await bench.run({ batchSequences: 2 });
    await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    await run.midBatch('dnabert-s', 1, PATIENCE_MS);
    await run.handle.executeUpdate('drainLane', { args: [{ lane: `${hostname()}/cpu:1` }] });
    const drainedAt = Date.now();
    await run.lanePids('dnabert-s', 1, PATIENCE_MS);
    // Offers that no host could serve come back every second.
    await sleep(5_000);
    const { lanes, waitingFor } = (await run.progress()).stages['dnabert-s'];
    const drained = `not ${hostname()}/cpu:1, which was drained`;
    assert.ok(waitingFor?.startsWith(`another cpu lane (queue virnucpro-lease-cpu); ${drained}`), waitingFor);
    assert.deepEqual(
      lanes.map(({ device, state }) => [device, state]),
      [['cpu:0', 'up']],
    );
    const since = (await run.attempts('dnabert-s')).filter(({ scheduledAt }) => scheduledAt > drainedAt);
    assert.ok(since.length > 0 && since.every(({ queue }) => queue.includes('/cpu:0#')), 'its batches went elsewhere');
    assert.equal(bench.lanePids().length, 1);

    await run.handle.executeUpdate('setMaxLanes', { args: [{ lanes: 2 }] });
    await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);
    await assertSameTables(run.outputDir, undisturbed);
  });

  it('retired, all there are: the run waits, says why, and goes on when another host comes', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ faults: [{ then: 'throw' }] });
    const run = await bench.run();
    const { stages } = await run.until(
      ({ stages }) =>
        ['cpu:0', 'cpu:1'].every((device) => stages['dnabert-s'].waitingFor?.includes(`${device} is out of service`)),
      2 * PATIENCE_MS,
    );
    const reason = String.raw`the device does not compute a first vector \(Error: test device: unspecified launch failure\)`;
    assert.match(
      stages['dnabert-s'].waitingFor!,
      new RegExp(
        String.raw`^a free cpu lane \(queue virnucpro-lease-cpu\); ${hostname()}: no free device; cpu:0 is out of service: ${reason}.*; cpu:1 is out of service: ${reason}`,
      ),
    );
    const later = await bench.run();
    await later.until((now) => now.stages['dnabert-s'].waitingFor === stages['dnabert-s'].waitingFor, PATIENCE_MS);
    await later.handle.cancel();

    await bench.startAgent({ host: 'spare', cpuLanes: 2 }, {});
    await run.result(2 * PATIENCE_MS);
    await assertSameTables(run.outputDir, undisturbed);
  });
});
