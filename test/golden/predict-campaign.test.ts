import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { STAGES } from '../../src/contract/stages.js';
import { PROVENANCE, type Provenance } from '../../src/io/provenance.js';
import { predictOnce, testRunOptions } from '../support/campaign.js';
import { ORIGINAL_TABLES, compareResults, tableBytes } from '../support/compare-results.js';
import { goldenCases } from '../support/golden.js';
import { type TestTemporal, startTestTemporal } from '../support/temporal.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

const LANES = 3;

// Many small file batches where lanes are to share them; few where each costs a model load.
const MODES = [
  { lanes: LANES, persistent: true, batchSequences: 3 },
  { lanes: 1, persistent: true, batchSequences: 20 },
  { lanes: LANES, persistent: false, batchSequences: 20 },
  { lanes: 1, persistent: false, batchSequences: 30 },
];

/**
 * Lanes come up one after the other, and on a busy machine the first may have embedded all before the second is up: such a
 * run says nothing of several lanes, and is made again.
 */
const TRIES = 4;

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
      const predict = async (folder: string, mode: (typeof MODES)[number]): Promise<Provenance> => {
        const outputDir = path.join(temporal.workDir, folder);
        const options = testRunOptions(outputDir, { chunkSize, ...mode, keepWarmSeconds: 600 });
        const { counts } = await predictOnce(temporal.client, `${dir}/input.fa`, options);
        assert.deepEqual(counts, { done: 1, failed: 0, framesQuarantined: 0 });
        for (const table of ORIGINAL_TABLES) {
          await compareResults(path.join(outputDir, 'input_merged', table), path.join(dir, table));
        }
        outputs.push(await tableBytes(outputDir, 'input'));
        const provenance = JSON.parse(await readFile(path.join(outputDir, PROVENANCE), 'utf8')) as Provenance;
        loads[`${mode.persistent}`] += modelLoads(provenance);
        return provenance;
      };
      for (const mode of MODES) {
        const { lanes, persistent } = mode;
        const folder = `${name}-${lanes}-${persistent}`;
        let run = await predict(folder, mode);
        if (lanes === 1 || !persistent) continue;
        for (let n = 2; n <= TRIES && fewestLanesAtWork(run) < 2; n++) run = await predict(`${folder}-${n}`, mode);
        assert.ok(fewestLanesAtWork(run) >= 2, JSON.stringify(run.lanes));
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

function modelLoads({ stages }: Provenance): number {
  return STAGES.reduce((sum, stage) => sum + stages[stage].modelLoads, 0);
}

/** How many lanes embedded frames, of the stage with the fewest. */
function fewestLanesAtWork({ lanes }: Provenance): number {
  return Math.min(...STAGES.map((stage) => lanes.filter((lane) => lane.stage === stage && lane.frames > 0).length));
}
