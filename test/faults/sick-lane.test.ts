import assert from 'node:assert/strict';
import { FaultBench, PATIENCE_MS } from '../support/faults/fault-bench.js';
import { type Tables, assertSameTables } from '../support/faults/result-tables.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

describeWithTemporal('a sick device fails everything', () => {
  let bench: FaultBench;
  let undisturbed: Tables;
  beforeEach(async () => {
    bench = await FaultBench.start(2);
    undisturbed = await bench.undisturbed();
  });
  afterEach(() => bench?.close());

  it('its lane is restarted, then retired; it costs two attempts and loses nothing', async () => {
    await bench.behave({ callMs: 500 });
    const run = await bench.run({ batchSequences: 2 });
    await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    await run.until(({ stages }) => stages['dnabert-s'].done >= 2, PATIENCE_MS);
    await bench.behave({ callMs: 500, faults: [{ device: 'cpu:1', then: 'throw' }] });
    await run.result(2 * PATIENCE_MS);

    const attempts = [...(await run.attempts('dnabert-s')), ...(await run.attempts('esm-2'))];
    const failed = attempts.filter(({ end }) => end === 'failed');
    assert.ok(failed.length > 0 && failed.length <= 2, `${failed.length} attempts failed`);
    assert.ok(failed.every(({ queue }) => queue.includes('cpu:1')));
    assert.ok((await bench.agentLog()).includes('"msg":"lane retired"'));
    await assertSameTables(run.outputDir, undisturbed);
  });

  it('also when all that it gives is NaN: its lane is retired, no sequence is quarantined', async () => {
    await bench.behave({ callMs: 500 });
    const run = await bench.run({ batchSequences: 2, lanes: 1 });
    const [pid] = await run.lanePids('dnabert-s', 1, PATIENCE_MS);
    const [lane] = (await run.progress()).stages['dnabert-s'].lanes;
    await bench.behave({ callMs: 500, faults: [{ device: lane!.device, then: 'nan' }] });
    await run.lanePids('dnabert-s', 1, PATIENCE_MS, [pid!]);
    await bench.behave({});
    await run.result(2 * PATIENCE_MS);
    await assertSameTables(run.outputDir, undisturbed);
  });
});
