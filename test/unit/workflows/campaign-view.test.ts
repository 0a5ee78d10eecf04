import assert from 'node:assert/strict';
import type { StageProgress } from '../../../src/contract/progress.js';
import { CampaignView } from '../../../src/workflows/campaign-view.js';
import { sumOfLanes } from '../../../src/workflows/lane-figures.js';
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

  it('says when calls did not fit the memory of a lane, beside what else there is to say', () => {
    const view = new CampaignView(1, { done: 0, failed: 0 });
    const figures = { peakBytes: 5e8, tokensPerCall: 300 };
    const laneFigures = { 'h/cpu:0': figures, 'h/cpu:1': { ...figures, reducedFrom: 1000 } };
    view.stageDone('esm-2', true, { ...result, modelLoads: 2, lanes: ['h/cpu:0', 'h/cpu:1'], laneFigures });
    const warning = 'calls of 1000 tokens did not fit the memory of h/cpu:1, which made do with 300';
    assert.deepEqual(view.progress().warnings, [`esm-2: ${warning}`]);
    view.stageDone('esm-2', true, { ...result, modelLoads: 3, lanes: ['h/cpu:0', 'h/cpu:1'], laneFigures });
    assert.ok(view.progress().warnings[0]!.endsWith(`were given to others and back; ${warning}`));
  });

  it('sums what lanes say of themselves: the highest peak, the smallest calls', () => {
    const sum = sumOfLanes([
      { a: { peakBytes: 7, tokensPerCall: 100 }, b: { peakBytes: 1, tokensPerCall: 10 } },
      { a: { peakBytes: 5, tokensPerCall: 50, reducedFrom: 100 } },
      { a: { peakBytes: 6, tokensPerCall: 100 } },
    ]);
    assert.deepEqual(sum, {
      a: { peakBytes: 7, tokensPerCall: 50, reducedFrom: 100 },
      b: { peakBytes: 1, tokensPerCall: 10 },
    });
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
