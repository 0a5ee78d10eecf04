import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { POISON, poisonTokens } from '../support/faults/poison.js';
import { type Tables, readTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';
import type { WatchedRun } from '../support/faults/watched-run.js';

const QUARANTINED = 'virnucpro_quarantined_frames_total';
const LOSSES = 'virnucpro_lane_losses_total';

/** Crashes of a sequence alone before it is quarantined. */
const CRASHES_ALONE = 3;

const CALLS = 'input_merged/prediction_results.txt';

describeWithBench('a poison sequence', 2, (scene) => {
  /** Everything but the poisoned frame is delivered, as in the undisturbed run, and every frame is accounted for. */
  const assertOnlyPoisonMissing = async (run: WatchedRun, reason: string): Promise<void> => {
    const rows = (tables: Tables, name: string): string[] =>
      tables.get(name)!.toString().trimEnd().split('\n').slice(1);
    const tables = await readTables(run.outputDir);
    assert.deepEqual(
      rows(tables, CALLS),
      rows(scene.undisturbed, CALLS).filter((row) => !row.startsWith(`${POISON}\t`)),
    );
    assert.deepEqual(rows(tables, 'quarantined.tsv'), [`${POISON}\tdnabert-s\t${reason}`]);
    const accounting = (await readFile(path.join(run.outputDir, 'accounting.tsv'), 'utf8')).trimEnd().split('\n');
    const [header, ...contigs] = accounting.map((row) => row.split('\t')) as [string[], ...string[][]];
    const sum = (column: string): number =>
      contigs.reduce((total, row) => total + Number(row[header.indexOf(column)]), 0);
    assert.equal(sum('frames_quarantined'), 1);
    assert.equal(sum('frames'), sum('frames_called') + 1);
    assert.equal(sum('frames_called'), rows(tables, CALLS).length);
  };

  it('aborts the process: it is found by bisection and quarantined, the rest of its batch is delivered', async () => {
    const { bench } = scene;
    await bench.behave({ faults: [{ tokens: await poisonTokens('dnabert-s', bench.dir), then: 'abort' }] });
    const run = await bench.run({ batchSequences: 16 });
    await run.result(3 * PATIENCE_MS);
    await assertOnlyPoisonMissing(run, 'crashes');
    const metrics = await bench.metrics();
    assert.equal(metrics.sum(QUARANTINED, { stage: 'dnabert-s', reason: 'crashes' }), 1);
    assert.equal(metrics.sum(QUARANTINED), 1);
    const losses = metrics.sum(LOSSES, { stage: 'dnabert-s', cause: 'crash' })!;
    assert.ok(losses >= CRASHES_ALONE, `${losses} crashes`);
    assert.equal(metrics.sum(LOSSES), losses);
  });

  it('gives NaN: it is tried on another lane, then quarantined, never written', async () => {
    const { bench } = scene;
    const tokens = await poisonTokens('dnabert-s', bench.dir);
    // Until there is another lane to try it on.
    await bench.behave({ faults: [{ tokens, then: 'wait' }] });
    const run = await bench.run({ batchSequences: 16, stalledMs: 2 * PATIENCE_MS });
    await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    const losses = (await bench.metrics()).sum(LOSSES);
    await bench.behave({ faults: [{ tokens, then: 'nan' }] });
    await run.result(2 * PATIENCE_MS);
    const first = (await run.attempts('dnabert-s')).filter(({ index }) => index === 0);
    assert.notEqual(first[0]!.pid, first[1]!.pid, 'the second try is on another lane');
    await assertOnlyPoisonMissing(run, 'non_finite');
    const metrics = await bench.metrics();
    assert.equal(metrics.sum(QUARANTINED, { stage: 'dnabert-s', reason: 'non_finite' }), 1);
    assert.equal(metrics.sum(QUARANTINED), 2);
    assert.equal(metrics.sum(LOSSES), losses, 'NaN costs no process');
  });
});
