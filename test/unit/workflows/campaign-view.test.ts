import assert from 'node:assert/strict';
import type { LaneView, StageProgress } from '../../../src/contract/progress.js';
import type { LaneRecord } from '../../../src/contract/run.js';
import { CampaignView } from '../../../src/workflows/campaign-view.js';
import { joinRecords } from '../../../src/workflows/lane-log.js';
import { campaignDetails, stageDetails } from '../../../src/workflows/progress-details.js';

const idle: StageProgress = { batches: 10, done: 3, failed: 0, frames: 9, tokens: 90, modelLoads: 1, lanes: [] };
const result = { embedded: 1, reused: 0, frames: 1, tokens: 1, quarantined: 0, retries: 0, failed: [], startedAt: 0 };
const first: LaneRecord = {
  ...{ lane: 'h/cpu:0', batches: 1, frames: 1, tokens: 1, busySeconds: 1, modelLoads: 1, losses: 0 },
  spans: [],
};
const second = { ...first, lane: 'h/cpu:1' };

describe('a campaign seen from outside', () => {
  it('says loudly when models that should stay loaded were loaded more than once a lane', () => {
    const view = new CampaignView(1, { done: 0, failed: 0 });
    view.stageDone('dnabert-s', true, { ...result, modelLoads: 2, lanes: [first, second] });
    view.stageDone('esm-2', false, { ...result, modelLoads: 30, lanes: [first] });
    assert.deepEqual(view.progress().warnings, []);
    view.stageDone('dnabert-s', true, { ...result, modelLoads: 3, lanes: [first, second] });
    const warning =
      'dnabert-s: persistent models were asked for, but 2 lanes loaded the model 3 times: ' +
      'lanes died, were given to others and back, or waited for longer than --keep-warm';
    assert.deepEqual(view.progress().warnings, [warning]);
    assert.ok(campaignDetails(view.progress()).includes(`\n- **Warning**: ${warning}`));
    const nextRun = new CampaignView(1, { done: 0, failed: 0 }, view.warnings);
    assert.deepEqual(nextRun.progress().warnings, [warning], 'also after continue-as-new');
  });

  it('says when calls did not fit the memory of a lane, beside what else there is to say', () => {
    const view = new CampaignView(1, { done: 0, failed: 0 });
    const figures = { peakBytes: 5e8, tokensPerCall: 300 };
    const lanes = [
      { ...first, figures },
      { ...second, figures: { ...figures, reducedFrom: 1000 } },
    ];
    view.stageDone('esm-2', true, { ...result, modelLoads: 2, lanes });
    const warning = 'calls of 1000 tokens did not fit the memory of h/cpu:1, which made do with 300';
    assert.deepEqual(view.progress().warnings, [`esm-2: ${warning}`]);
    view.stageDone('esm-2', true, { ...result, modelLoads: 3, lanes });
    assert.ok(view.progress().warnings[0]!.endsWith(`waited for longer than --keep-warm; ${warning}`));
  });

  it('sums what lanes say of themselves: the highest peak, the smallest calls', () => {
    const sum = joinRecords([
      { ...first, figures: { peakBytes: 7, tokensPerCall: 100 } },
      { ...first, figures: { peakBytes: 5, tokensPerCall: 50, reducedFrom: 100 } },
      { ...first, figures: { peakBytes: 6, tokensPerCall: 100 } },
      second,
    ]);
    assert.deepEqual(
      sum.map(({ figures }) => figures),
      [{ peakBytes: 7, tokensPerCall: 50, reducedFrom: 100 }, undefined],
    );
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
      `- **esm-2**: 3 of 10 file batches done, waiting for ${waitingFor}`,
    );
  });

  it('shows what matters first: state, warnings and stages, then the lanes of all in one table', () => {
    const view = new CampaignView(2, { done: 1, failed: 0 }, { 'dnabert-s': 'look' });
    view.state = 'embedding';
    view.startStage('dnabert-s', 10);
    const lanes: LaneView[] = [
      {
        ...{ lease: 'a', host: 'h', device: 'cpu:0', pid: 7, state: 'up', running: 2, done: 3 },
        framesPerSecond: 12.345,
      },
      { lease: 'b', host: 'h', device: 'cpu:1', pid: 0, state: 'starting', running: 0, done: 0 },
    ];
    view.slice({ slice: 's', stage: 'dnabert-s', progress: { ...idle, lanes } }, 0);
    assert.deepEqual(campaignDetails(view.progress()).split('\n'), [
      '- **embedding**: 1 of 2 samples done, 0 failed, 0 frames',
      '- **Warning**: look',
      '- **dnabert-s**: 3 of 10 file batches done',
      '',
      '| lane | stage | state | pid | running | done | frames/s |',
      '|---|---|---|---|---|---|---|',
      '| h/cpu:0 | dnabert-s | up | 7 | 2 | 3 | 12.3 |',
      '| h/cpu:1 | dnabert-s | starting |  | 0 | 0 |  |',
    ]);
  });
});
