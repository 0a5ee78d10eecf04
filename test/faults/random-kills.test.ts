import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { chooseSeed, randomNumbers } from '../support/faults/random.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';

const KILLS = 20;

/** Longest time between two kills: sometimes the last one is not over yet. */
const LONGEST_PAUSE_MS = 4_000;

const seed = chooseSeed();

describeWithBench(`${KILLS} random kills (FAULT_SEED=${seed})`, 2, (scene) => {
  it('of lanes, agent and server during a run of 30 batches: the same tables, with no manual step', async () => {
    const { bench, undisturbed } = scene;
    const random = randomNumbers(seed);
    await bench.behave({ callMs: 2000 });
    const run = await bench.run({ batchSequences: 2, keepWarmSeconds: 60 });
    const killed: string[] = [];
    while (killed.length < KILLS && (await run.isOpen())) {
      await sleep(random() * LONGEST_PAUSE_MS);
      const [what, pids] = pick(random, [
        ['lane', bench.lanePids()],
        ['agent', bench.agentPids()],
        ['server', bench.serverPids()],
      ] as const);
      if (pids.length === 0) continue;
      process.kill(pick(random, pids), 'SIGKILL');
      killed.push(what);
    }
    assert.equal(killed.length, KILLS, `the run ended after ${killed.join(', ')}`);
    await bench.behave({});
    await run.result(3 * PATIENCE_MS);
    await assertSameTables(run.outputDir, undisturbed);
  }).timeout(600_000);
});

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}
