import assert from 'node:assert/strict';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { limitMemory, meanwhile, noMemoryLimits, privateBytes } from '../support/faults/memory-limit.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';
import { pidsOf } from '../support/processes.js';

const skipped = noMemoryLimits();
const ONE_BATCH = { lanes: 1, batchSequences: 200 };

/** Below this, a process's own ups and downs could make the difference. */
const MARGIN_BYTES = 20e6;

if (skipped !== undefined) {
  describe.skip(`out of memory (skipped: ${skipped})`, () => it('a batch that does not fit is cut until it does'));
} else {
  describeWithBench('out of memory', 1, (scene) => {
    it('a batch that does not fit the process is cut until it does: nothing is quarantined', async () => {
      const { bench, undisturbed } = scene;
      const over = new AbortController();
      const limited = new Set<number>();
      const lanes = (): number[] => pidsOf('virnucpro-lane dnabert-s').filter((pid) => bench.lanePids().includes(pid));

      // Each call waits before it computes: the lane is seen before its batch takes memory.
      await bench.behave({ callMs: 3000 });
      const whole = await bench.run(ONE_BATCH);
      const [pid] = await whole.lanePids('dnabert-s', 1, PATIENCE_MS);
      const idle = privateBytes(pid!);
      await bench.behave({});
      let most = 0;
      const watching = meanwhile(() => (most = Math.max(most, privateBytes(pid!))), over.signal);
      await whole.result(2 * PATIENCE_MS);
      over.abort();
      await watching;

      const limit = (idle + most) / 2;
      assert.ok(most - limit > MARGIN_BYTES, `${most} bytes at most, ${idle} without work: too little to tell apart`);
      const ended = new AbortController();
      const limiting = meanwhile(() => {
        for (const lane of lanes().filter((each) => !limited.has(each))) {
          limitMemory(lane, limit);
          limited.add(lane);
        }
      }, ended.signal);
      const run = await bench.run(ONE_BATCH);
      await run.result(3 * PATIENCE_MS);
      ended.abort();
      await limiting;
      assert.ok(limited.size > 0);
      // Whether the runtime refuses the call, which is halved then, or the process dies and the batch is bisected.
      await assertSameTables(run.outputDir, undisturbed);
    });
  });
}
