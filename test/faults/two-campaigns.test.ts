import assert from 'node:assert/strict';
import { WorkflowFailedError } from '@temporalio/client';
import { COMMANDS } from '../../src/contract/commands.js';
import type { CampaignProgress } from '../../src/contract/progress.js';
import { failureReport } from '../../src/workflows/failures.js';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';

describeWithBench('two campaigns on one device', 1, (scene) => {
  it('both finish; pausing the one that has it gives it to the other', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 1000 });
    const first = await bench.run({ lanes: 1 });
    await first.lanePids('dnabert-s', 1, PATIENCE_MS);
    const second = await bench.run({ lanes: 1 });
    await second.until(({ stages }) => stages['dnabert-s'].waitingFor !== undefined, PATIENCE_MS);
    await first.midBatch('dnabert-s', 1, PATIENCE_MS);

    await first.handle.executeUpdate(COMMANDS.pause);
    await second.lanePids('dnabert-s', 1, PATIENCE_MS);
    const paused = await first.progress();
    assert.deepEqual([paused.stages['dnabert-s'].paused, paused.stages['dnabert-s'].lanes], [true, []]);
    await bench.behave({});
    await second.result(2 * PATIENCE_MS);
    assert.equal((await first.progress()).stages['dnabert-s'].done, paused.stages['dnabert-s'].done);

    await first.handle.executeUpdate(COMMANDS.resume);
    await first.result(2 * PATIENCE_MS);
    for (const run of [first, second]) await assertSameTables(run.outputDir, undisturbed);
    assert.equal(await second.modelLoads(), 1 + 1, 'one lane, two stages');
  });

  it('neither is paused: the second has its turn when the first leaves the device between its stages, or ends', async () => {
    const { bench, undisturbed } = scene;
    const runs = [await bench.run({ lanes: 1 }), await bench.run({ lanes: 1 })];
    for (const run of runs) {
      await run.result(3 * PATIENCE_MS);
      await assertSameTables(run.outputDir, undisturbed);
    }
  });

  it('the one of higher priority has the device first, though it came last', async () => {
    const { bench } = scene;
    await bench.behave({ callMs: 1000 });
    const first = await bench.run({ lanes: 1 });
    await first.lanePids('dnabert-s', 1, PATIENCE_MS);
    const waiting = ({ stages }: CampaignProgress): boolean => stages['dnabert-s'].waitingFor !== undefined;
    const late = await bench.run({ lanes: 1, priority: 5 });
    await late.until(waiting, PATIENCE_MS);
    const urgent = await bench.run({ lanes: 1, priority: 1 });
    await urgent.until(waiting, PATIENCE_MS);
    await first.handle.executeUpdate(COMMANDS.pause);
    await urgent.lanePids('dnabert-s', 1, PATIENCE_MS);
    assert.ok(waiting(await late.progress()));
    await Promise.all([first, late, urgent].map((run) => run.handle.cancel()));
    await bench.behave({});
    for (const run of [first, late, urgent]) await assert.rejects(run.result(PATIENCE_MS), WorkflowFailedError);
  });

  it('one that is told how long to wait for a lane fails then, and says for what it waited', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 1000 });
    const first = await bench.run({ lanes: 1 });
    await first.lanePids('dnabert-s', 1, PATIENCE_MS);
    const second = await bench.run({ lanes: 1, laneTimeoutSeconds: 3 });
    await assert.rejects(second.result(PATIENCE_MS), (error: WorkflowFailedError) => {
      const { type, what } = failureReport(error.cause);
      assert.deepEqual(
        [type, what],
        ['LaneTimeout', 'no lane for 3 s (--lane-timeout): waiting for a free cpu lane (queue virnucpro-lease-cpu)'],
      );
      return true;
    });
    await bench.behave({});
    await first.result(2 * PATIENCE_MS);
    await assertSameTables(first.outputDir, undisturbed);
  });
});
