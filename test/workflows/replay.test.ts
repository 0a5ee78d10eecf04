import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { workflowBundle } from '../../src/workers/workflow-bundle.js';

const FOLDER = 'test/workflows/histories';

/** Recorded by test/support/record-histories.ts; a change that cannot replay them needs `patched()`. */
const recorded = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

describe('recorded histories', () => {
  it('are there for both workflows', () => {
    for (const workflow of ['predictCampaign', 'embedStage']) {
      assert.ok(
        recorded.some((name) => name.includes(workflow)),
        workflow,
      );
    }
  });

  for (const name of recorded) {
    it(`${name} replays on this build`, async () => {
      const record = JSON.parse(readFileSync(path.join(FOLDER, name), 'utf8')) as {
        workflowId: string;
        history: unknown;
      };
      const history = historyFromJSON(record.history);
      await Worker.runReplayHistory({ workflowBundle: workflowBundle() }, history, record.workflowId);
    });
  }
});
