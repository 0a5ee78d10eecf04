import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Asked, planRun } from '../../../src/cli/resume.js';
import { type RunRecord, writeRunRecord } from '../../../src/cli/run-record.js';
import { sampleOf, testRunOptions } from '../../support/campaign.js';

const AS_IS = { resume: false, force: false };

describe('planRun', () => {
  let dir: string;
  let asked: Asked;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-plan-'));
    const sample = sampleOf('/in/a.fa');
    asked = {
      run: testRunOptions(dir),
      folder: dir,
      specs: [sample],
      request: { expectedLength: 500 },
      samples: [{ name: sample.name, input: sample.input, sha256: 'a1' }],
    };
  });
  afterEach(() => rm(dir, { recursive: true }));

  const record = (state: RunRecord['state'], outputDir = dir): Promise<void> =>
    writeRunRecord(dir, { workflowId: 'w', outputDir, request: asked.request, samples: asked.samples, state });

  /** One table, with its proof. */
  const finish = async (): Promise<void> => {
    const table = 'a_merged/prediction_results.txt';
    await mkdir(path.join(dir, 'a_merged'));
    await mkdir(path.join(dir, '.virnucpro'), { recursive: true });
    await writeFile(path.join(dir, table), 'calls');
    await writeFile(path.join(dir, 'campaign.tsv'), '');
    const files = [{ path: table, bytes: 5, sha256: createHash('sha256').update('calls').digest('hex') }];
    await writeFile(path.join(dir, '.virnucpro/finished.json'), JSON.stringify({ madeBy: '', counts: {}, files }));
  };

  it('starts anew in an empty folder, and goes on with the run that a folder holds', async () => {
    assert.deepEqual(await planRun(asked, AS_IS), { done: false, startOver: false, storeIsNew: true });
    await record('running');
    assert.deepEqual(await planRun(asked, AS_IS), { done: false, again: 'w', startOver: false });
  });

  it('takes a run for done only while all its tables are whole', async () => {
    await finish();
    for (const state of ['done', 'partial'] as const) {
      await record(state);
      assert.equal((await planRun(asked, AS_IS)).done, state);
    }
    await writeFile(path.join(dir, 'a_merged/prediction_results.txt'), 'CALLS');
    assert.deepEqual(await planRun(asked, AS_IS), { done: false, again: 'w', startOver: false });
  });

  it('refuses a run that is under way on another server, and --force leaves it there', async () => {
    await record('running');
    const service = { address: 'temporal.example.org:7233', namespace: 'viromes' };
    await assert.rejects(planRun({ ...asked, service }, AS_IS), (error: Error) => {
      assert.match(
        error.message,
        /is on this machine's own server, not on the Temporal service temporal.example.org:7233 /,
      );
      return /--no-service/.test(error.message);
    });
    assert.equal((await planRun({ ...asked, service }, { resume: false, force: true })).startOver, true);
  });

  it('lets the run of a copied or moved folder be: it goes on where it was', async () => {
    await record('running', '/elsewhere');
    assert.deepEqual(await planRun(asked, AS_IS), { done: false, startOver: false });
    const forced = await planRun(asked, { resume: false, force: true });
    assert.deepEqual(forced, { done: false, startOver: true, storeIsNew: false });
    await record('done', '/elsewhere');
    await finish();
    assert.equal((await planRun(asked, AS_IS)).done, 'done');
  });

  it('refuses another run unless it is told what to do', async () => {
    await record('done');
    await finish();
    const other = { ...asked, request: { expectedLength: 300 } };
    await assert.rejects(planRun(other, AS_IS), { name: 'OptionError', what: /expectedLength was 500 and is 300/ });
    const { replaced, startOver } = await planRun(other, { resume: true, force: false });
    assert.deepEqual([replaced?.workflowId, startOver], ['w', false]);
  });
});
