import assert from 'node:assert/strict';
import type { StageProgress } from '../../../src/contract/progress.js';
import { CampaignView } from '../../../src/workflows/campaign-view.js';
import { campaignDetails, stageDetails } from '../../../src/workflows/progress-details.js';

const idle: StageProgress = { batches: 10, done: 3, failed: 0, frames: 9, tokens: 90, modelLoads: 1, lanes: [] };
const result = { embedded: 1, reused: 0, frames: 1, tokens: 1, quarantined: 0, laneFigures: {}, failed: [] };

describe('a campaign seen from outside', () => {
  it('says loudly when models that should stay loaded were loaded more than once a lane', () => {
    const view = new CampaignView(1, { done: 0, failed: 0 });
    view.stageDone('dnabert-s', true, { ...result, modelLoads: 2, lanes: ['h/cpu:0', 'h/cpu:1'] });
    view.stageDone('esm-2', false, { ...result, modelLoads: 30, lanes: ['h/cpu:0'] });
    assert.deepEqual(view.progress().warnings, []);
    view.stageDone('dnabert-s', true, { ...result, modelLoads: 3, lanes: ['h/cpu:0', 'h/cpu:1'] });
    const warning =
      'dnabert-s: persistent models were asked for, but 2 lanes loaded the model 3 times: ' +
      'lanes died, or were given to others and back';
    assert.deepEqual(view.progress().warnings, [warning]);
    assert.ok(campaignDetails(view.progress()).includes(`\n**Warning**: ${warning}\n`));
    const nextRun = new CampaignView(1, { done: 0, failed: 0 }, view.warnings);
    assert.deepEqual(nextRun.progress().warnings, [warning], 'also after continue-as-new');
  });

  it('has failed batches only where an open slice could try them again', () => {
    const view = new CampaignView(1, { done: 0, failed: 0 });
    view.startStage('dnabert-s', 10);
    view.slice({ slice: 's', stage: 'dnabert-s', progress: idle }, 0);
    assert.equal(view.hasFailedBatches(), false);
    view.slice({ slice: 's', stage: 'dnabert-s', progress: { ...idle, failed: 1 } }, 0);
    assert.equal(view.hasFailedBatches(), true);
    const failed = [{ index: 0, failure: { type: 'Unexpected', what: 'x', next: 'y' } }];
    view.sliceDone('s', 'dnabert-s', 10, { ...result, failed, modelLoads: 1, lanes: [], seconds: 1 }, 0);
    assert.equal(view.progress().stages['dnabert-s'].failed, 1);
    assert.equal(view.hasFailedBatches(), false);
  });

  it('tells what a slice waits for, and why, in progress and details', () => {
    const waitingFor = 'a free cpu lane (queue q); h: out of service: cpu:0: NaN';
    const view = new CampaignView(1, { done: 0, failed: 0 });
    view.startStage('esm-2', 10);
    view.slice({ slice: 's', stage: 'esm-2', progress: { ...idle, waitingFor } }, 0);
    assert.equal(view.progress().stages['esm-2'].waitingFor, waitingFor);
    assert.equal(
      stageDetails('esm-2', view.progress().stages['esm-2']),
      `**esm-2**: 3 of 10 file batches done, waiting for ${waitingFor}`,
    );
  });
});
