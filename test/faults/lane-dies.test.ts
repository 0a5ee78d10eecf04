import assert from 'node:assert/strict';
import { HEARTBEAT_MS, PATIENCE_MS, SLOW_CALL_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';
import { eventually } from '../support/processes.js';

describeWithBench('a lane process dies', 2, (scene) => {
  it('SIGKILL in mid-batch: its batches run elsewhere within heartbeat + 1 s, one more model load', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 1000 });
    const run = await bench.run();
    await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    const victim = await run.midBatch('dnabert-s', 2, PATIENCE_MS);
    const killedAt = Date.now();
    process.kill(victim.pid, 'SIGKILL');
    await bench.behave({ callMs: SLOW_CALL_MS });
    await run.lanePids('dnabert-s', 2, PATIENCE_MS, [victim.pid]);
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);

    const attempts = await run.attempts('dnabert-s');
    const lost = attempts.filter(({ end, endedAt }) => end !== 'completed' && endedAt! >= killedAt);
    const again = lost.map(({ index }) => attempts.find((one) => one.index === index && one.scheduledAt > killedAt)!);
    assert.ok(again.length > 0 && again.every(({ pid }) => pid !== victim.pid));
    // The one that was running is the first to be given out again; the other waits until the slow call of a lane ends.
    const moved = Math.min(...again.map(({ scheduledAt }) => scheduledAt)) - killedAt;
    assert.ok(moved <= HEARTBEAT_MS + 1000, `moved after ${moved} ms`);
    const { stages } = await run.progress();
    assert.equal(stages['dnabert-s'].modelLoads, 3, 'two lanes, and the killed one again');
    assert.equal(stages['esm-2'].modelLoads, 2);
    await assertSameTables(run.outputDir, undisturbed);
  });

  it('five SIGKILLs on the lanes of one batch: it is delivered, nothing is quarantined', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 8000 });
    const run = await bench.run({ stalledMs: 60_000 });
    const { index } = await run.midBatch('dnabert-s', 0, PATIENCE_MS);
    for (let kills = 0, last = 0; kills < 5; kills += 1) {
      let pid = 0;
      await eventually(async () => {
        const batch = (await run.onLanes('dnabert-s')).find((onLane) => onLane.index === index);
        pid = batch?.pid ?? 0;
        return pid !== 0 && pid !== last;
      }, PATIENCE_MS);
      process.kill(pid, 'SIGKILL');
      last = pid;
    }
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);
    const attempts = (await run.attempts('dnabert-s')).filter((attempt) => attempt.index === index);
    assert.ok(attempts.length >= 6);
    await assertSameTables(run.outputDir, undisturbed);
  });
});
