import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { STAGES } from '../../src/contract/stages.js';
import type { Provenance } from '../../src/io/provenance.js';
import { predictOnce, testRunOptions } from '../support/campaign.js';
import { ORIGINAL_TABLES, compareResults, tableBytes } from '../support/compare-results.js';
import { goldenCases } from '../support/golden.js';
import { type TestTemporal, startTestTemporal } from '../support/temporal.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

const LANES = 3;

const MODES = [
  { lanes: LANES, persistent: true },
  { lanes: 1, persistent: true },
  { lanes: LANES, persistent: false },
  { lanes: 1, persistent: false },
];

describeWithTemporal('golden cases through Temporal', () => {
  let temporal: TestTemporal;
  before(async () => {
    temporal = await startTestTemporal(LANES);
  });
  after(() => temporal?.close());

  const loads = { true: 0, false: 0 };

  for (const { name, dir, chunkSize } of goldenCases) {
    it(`${name}: the reference's calls, and the same bytes with 1 and 3 lanes, persistent and not`, async () => {
      const outputs: Buffer[] = [];
      for (const { lanes, persistent } of MODES) {
        const outputDir = path.join(temporal.workDir, `${name}-${lanes}-${persistent}`);
        const options = testRunOptions(outputDir, {
          chunkSize,
          lanes,
          persistent,
          keepWarmSeconds: 600,
          batchSequences: 20,
        });
        const { counts } = await predictOnce(temporal.client, `${dir}/input.fa`, options);
        loads[`${persistent}`] += await modelLoads(outputDir);
        assert.deepEqual(counts, { done: 1, failed: 0, framesQuarantined: 0 });
        for (const table of ORIGINAL_TABLES) {
          await compareResults(path.join(outputDir, 'input_merged', table), path.join(dir, table));
        }
        outputs.push(await tableBytes(outputDir, 'input'));
      }
      for (const output of outputs) assert.deepEqual(output, outputs[0]);
    }).timeout(240_000);
  }

  it('the persistent ones loaded at most one model a lane and stage: lanes of both stages stay warm side by side', () => {
    // A run that is done before its third lane is up loads fewer.
    assert.ok(loads.true >= STAGES.length && loads.true <= LANES * STAGES.length, `${loads.true} loads`);
    assert.ok(loads.false > loads.true);
  });
});

async function modelLoads(outputDir: string): Promise<number> {
  const { stages } = JSON.parse(await readFile(path.join(outputDir, 'provenance.json'), 'utf8')) as Provenance;
  return STAGES.reduce((sum, stage) => sum + stages[stage].modelLoads, 0);
}
