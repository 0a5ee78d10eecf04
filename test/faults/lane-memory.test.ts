import assert from 'node:assert/strict';
import path from 'node:path';
import { startCampaign } from '../../src/cli/campaign-client.js';
import { sampleOf, testRunOptions } from '../support/campaign.js';
import { writeContigs } from '../support/contigs.js';
import { laneMemory, memoryAfter } from '../support/lane-memory.js';
import { describeWithTemporal } from '../support/temporal-cli.js';
import { type TestTemporal, startTestTemporal } from '../support/temporal.js';

const FRAMES_A_BATCH = 4;
const BATCHES = 220;

describeWithTemporal('a persistent lane', () => {
  let temporal: TestTemporal;
  before(async () => {
    temporal = await startTestTemporal(1);
  }).timeout(60_000);
  after(() => temporal.close());

  it('takes no more memory after 200 batches of mixed lengths than after 20, give or take a tenth', async () => {
    const { client, stateDir, workDir } = temporal;
    const contigs = path.join(workDir, 'mixed.fa');
    await writeContigs(contigs, BATCHES * FRAMES_A_BATCH, { from: 20, to: 166 });
    const options = testRunOptions(path.join(workDir, 'out'), { batchSequences: FRAMES_A_BATCH });
    const { handle } = await startCampaign(client, [sampleOf(contigs)], options, 'lane-memory');
    await handle.result();
    const seen = await laneMemory(stateDir, handle.workflowId, 'esm-2');
    assert.equal(seen.length, BATCHES);
    const [early, late] = [memoryAfter(20, seen), memoryAfter(200, seen)];
    assert.ok(late < 1.1 * early, `${early} MB after 20 batches, ${late} MB after 200`);
  }).timeout(240_000);
});
