import assert from 'node:assert/strict';
import { COMMANDS } from '../../src/contract/commands.js';
import { FaultBench, PATIENCE_MS } from '../support/faults/fault-bench.js';
import { type Tables, assertSameTables } from '../support/faults/result-tables.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

describeWithTemporal('two campaigns on one device', () => {
  let bench: FaultBench;
  let undisturbed: Tables;
  before(async () => {
    bench = await FaultBench.start(1);
    undisturbed = await bench.undisturbed({ lanes: 1 });
  });
  after(() => bench?.close());

  it('both finish; pausing the one that has it gives it to the other', async () => {
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
    const runs = [await bench.run({ lanes: 1 }), await bench.run({ lanes: 1 })];
    for (const run of runs) {
      await run.result(3 * PATIENCE_MS);
      await assertSameTables(run.outputDir, undisturbed);
    }
  });
});
