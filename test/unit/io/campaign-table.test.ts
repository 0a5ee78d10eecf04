import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CAMPAIGN_TABLE, campaignTable, readCampaignTable } from '../../../src/io/campaign-table.js';

const COUNTS = {
  contigs: 11,
  contigsCalled: 10,
  contigsViral: 4,
  viralRegions: 5,
  chunks: 40,
  chunksCalled: 30,
  chunksViral: 12,
  frames: 35,
  framesCalled: 33,
  framesViral: 13,
  framesQuarantined: 2,
};

describe('campaign.tsv', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vnp-campaign-table-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('reads back what was written, a failure on one line and without counts', async () => {
    const failure = { type: 'InputError', what: 'no\n\tFASTA', where: 'b.fa, line 3', next: '' };
    const table = campaignTable([
      { sample: 'a b', status: 'done', counts: COUNTS },
      { sample: 'b', status: 'failed', failure },
    ]);
    assert.deepEqual(table.split('\n').slice(1), [
      'a b\tdone\t\t11\t10\t4\t5\t40\t30\t12\t35\t33\t13\t2',
      'b\tfailed\tb.fa, line 3: no FASTA\t\t\t\t\t\t\t\t\t\t\t',
      '',
    ]);
    await writeFile(path.join(dir, CAMPAIGN_TABLE), table);
    assert.deepEqual(await readCampaignTable(dir), [
      { sample: 'a b', status: 'done', reason: '', counts: COUNTS },
      { sample: 'b', status: 'failed', reason: 'b.fa, line 3: no FASTA' },
    ]);
  });
});
