import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { predictOnce, testRunOptions } from '../support/campaign.js';
import { compareResults } from '../support/compare-results.js';
import { goldenCases } from '../support/golden.js';
import { type TestTemporal, startTestTemporal } from '../support/temporal.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

const MODES = [
  { lanes: 1, persistent: true },
  { lanes: 1, persistent: false },
  { lanes: 3, persistent: true },
  { lanes: 3, persistent: false },
];

/** What must be the same bytes, however many lanes made it. */
const OWN_TABLES = [
  'accounting.tsv',
  'contigs.tsv',
  'frames.parquet',
  'viral_regions.bed',
  'viral_regions.gff3',
  'viral.fa',
];

const TABLES = ['input_merged/prediction_results.txt', 'input_merged/prediction_results_highestscore.csv'];

describeWithTemporal('golden cases through Temporal', () => {
  let temporal: TestTemporal;
  before(async () => {
    temporal = await startTestTemporal(3);
  });
  after(() => temporal?.close());

  for (const { name, dir, chunkSize } of goldenCases) {
    it(`${name}: the reference's calls, and the same bytes with 1 and 3 lanes, persistent and not`, async () => {
      const outputs: Buffer[] = [];
      for (const { lanes, persistent } of MODES) {
        const outputDir = path.join(temporal.workDir, `${name}-${lanes}-${persistent}`);
        const options = testRunOptions(outputDir, { chunkSize, lanes, persistent, batchSequences: 20 });
        const { counts } = await predictOnce(temporal.client, `${dir}/input.fa`, options);
        assert.deepEqual(counts, { done: 1, failed: 0 });
        for (const table of TABLES) {
          await compareResults(path.join(outputDir, table), path.join(dir, path.basename(table)));
        }
        const tables = [...TABLES, ...OWN_TABLES].map((table) => readFile(path.join(outputDir, table)));
        outputs.push(Buffer.concat(await Promise.all(tables)));
      }
      for (const output of outputs) assert.deepEqual(output, outputs[0]);
    }).timeout(240_000);
  }
});
