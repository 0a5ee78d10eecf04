import assert from 'node:assert/strict';
import { PATIENCE_MS, SLOW_CALL_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';
import { eventually } from '../support/processes.js';

/** What an agent's death may cost: the heartbeat, and up to 10 s until the server gives its workflows to another host. */
const AGENT_LIMIT_MS = 20_000;

describeWithBench("a host's agent dies", 1, (scene) => {
  before(() => scene.bench.startAgent({ host: 'spare', roles: 'control,cpu,lanes', cpuLanes: 1 }));

  it('SIGKILL in mid-batch: its lanes go with it, its batches run on another host within 20 s, it comes back', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 1000 });
    const run = await bench.run();
    await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    const { lanes } = (await run.progress()).stages['dnabert-s'];
    const victim = lanes.find(({ host }) => host !== 'spare')!;
    await run.midBatch('dnabert-s', 3, PATIENCE_MS);
    const killedAt = Date.now();
    process.kill(bench.agentPid, 'SIGKILL');
    await bench.behave({ callMs: SLOW_CALL_MS });
    await eventually(() => !bench.lanePids().includes(victim.pid), 2_000);
    await run.lanePids('dnabert-s', 2, PATIENCE_MS, [victim.pid]);
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);

    const attempts = await run.attempts('dnabert-s');
    const lost = attempts.filter(({ end, queue }) => end !== 'completed' && queue.includes(victim.lease));
    assert.ok(lost.length > 0);
    for (const { index } of lost) {
      const again = attempts.find((attempt) => attempt.index === index && attempt.scheduledAt > killedAt)!;
      assert.ok(again.scheduledAt - killedAt <= AGENT_LIMIT_MS, `moved after ${again.scheduledAt - killedAt} ms`);
    }
    const completed = attempts.filter(({ end }) => end === 'completed').map(({ index }) => index);
    assert.equal(new Set(completed).size, completed.length, 'no batch is computed twice');
    const { stages } = await run.progress();
    assert.equal(stages['dnabert-s'].modelLoads, 3);
    assert.equal(stages['esm-2'].modelLoads, 2);
    await assertSameTables(run.outputDir, undisturbed);
  });
});
