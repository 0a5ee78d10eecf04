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
    const kill = async (): Promise<boolean> => {
      await sleep(random() * LONGEST_PAUSE_MS);
      const pids = pick(random, [bench.lanePids(), bench.agentPids(), bench.serverPids()]);
      if (pids.length > 0) process.kill(pick(random, pids), 'SIGKILL');
      return pids.length > 0;
    };
    // Kills of the server hardly hold a run up, so it may end before the last of them: then another takes the rest.
    for (let kills = 0; kills < KILLS;) {
      await bench.behave({ callMs: 2000 });
      const run = await bench.run({ batchSequences: 2, keepWarmSeconds: 60 });
      while (kills < KILLS && (await run.isOpen())) if (await kill()) kills += 1;
      await bench.behave({});
      await run.result(3 * PATIENCE_MS);
      await assertSameTables(run.outputDir, undisturbed);
    }
  }).timeout(600_000);
});

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}
