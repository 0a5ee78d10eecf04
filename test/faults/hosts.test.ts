import assert from 'node:assert/strict';
import type { AgentProcess } from '../support/faults/agent-process.js';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';

describeWithBench('hosts come and go', 0, (scene) => {
  const hosts: AgentProcess[] = [];
  const add = async (host: string, cpuLanes = 2): Promise<AgentProcess> => {
    const agent = await scene.bench.startAgent({ host, cpuLanes });
    hosts.push(agent);
    return agent;
  };
  before(() => scene.bench.startAgent({ host: 'control', roles: 'control,cpu' }));
  afterEach(() => Promise.all(hosts.splice(0).map((agent) => agent.kill('SIGKILL'))));

  it('every host gone: the run waits, says for what, and goes on when one returns', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 1000 });
    await add('first');
    const run = await bench.run();
    const pids = await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    await run.midBatch('dnabert-s', 3, PATIENCE_MS);
    await hosts[0]!.kill('SIGKILL');
    const { stages } = await run.until((now) => now.stages['dnabert-s'].waitingFor !== undefined, PATIENCE_MS);
    assert.equal(stages['dnabert-s'].waitingFor, 'a free cpu lane (queue virnucpro-lease-cpu)');
    assert.deepEqual(stages['dnabert-s'].lanes, []);

    await add('first');
    await run.lanePids('dnabert-s', 2, PATIENCE_MS, pids);
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);
    const completed = (await run.attempts('dnabert-s')).filter(({ end }) => end === 'completed');
    assert.equal(completed.length, stages['dnabert-s'].batches, 'no finished batch is computed again');
    await assertSameTables(run.outputDir, undisturbed);
  });

  it('two hosts of two devices share four offers, 2 + 2; a third that comes late takes the next', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 4000 });
    await add('left');
    await add('right');
    const run = await bench.run({ lanes: 5, batchSequences: 1 });
    const hostsOf = async (lanes: number): Promise<string[]> => {
      await run.lanePids('dnabert-s', lanes, PATIENCE_MS);
      return (await run.progress()).stages['dnabert-s'].lanes.map(({ host }) => host).sort();
    };
    assert.deepEqual(await hostsOf(4), ['left', 'left', 'right', 'right']);
    await add('third');
    assert.deepEqual(await hostsOf(5), ['left', 'left', 'right', 'right', 'third']);
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);
    await assertSameTables(run.outputDir, undisturbed);
  });
});
