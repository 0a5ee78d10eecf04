import assert from 'node:assert/strict';
import path from 'node:path';
import { troublesOf } from '../../src/cli/troubles.js';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';
import { SmallDisk } from '../support/faults/small-disk.js';
import { eventually } from '../support/processes.js';

const disk = SmallDisk.mount(8);

if (typeof disk === 'string') {
  describe.skip(`the disk is full (skipped: ${disk})`, () => it('the run waits for room, says so, and goes on'));
} else {
  after(() => disk.unmount());
  describeWithBench('the disk is full', 2, (scene) => {
    it('in mid-stage: the run waits for room, says so, and goes on without computing anything twice', async () => {
      const { bench, undisturbed } = scene;
      await bench.behave({ callMs: 300 });
      const run = await bench.run({ outputDir: path.join(disk.dir, 'out') });
      await run.until(({ stages }) => stages['dnabert-s'].done >= 3, PATIENCE_MS);
      await disk.fill();
      let says = '';
      await eventually(async () => {
        says = (await troublesOf(bench.client, run.handle.workflowId)).join('\n');
        return says !== '';
      }, PATIENCE_MS);
      assert.match(says, /^embedBatch waits for storage: .*(ENOSPC|no space|full)/i);
      await disk.free();
      await bench.behave({});
      await run.result(2 * PATIENCE_MS);
      const attempts = await run.attempts('dnabert-s');
      assert.equal(attempts.length, (await run.progress()).stages['dnabert-s'].batches);
      assert.equal(await run.modelLoads(), 2 + 2);
      await assertSameTables(run.outputDir, undisturbed);
    });
  });
}
