import assert from 'node:assert/strict';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import * as entry from '../../../src/workflows/index.js';
import { WORKFLOWS_PATH } from '../../../src/workers/workflow-bundle.js';

/** Files in a bundle, from the source map that it ends with. */
function sourcesOf(code: string): string[] {
  const map = /sourceMappingURL=data:application\/json;[^,]*base64,(\S+)/.exec(code)![1]!;
  return (JSON.parse(Buffer.from(map, 'base64').toString()) as { sources: string[] }).sources;
}

describe('virnucpro-temporal/workflows', () => {
  it('exports workflows and what workflow code needs, nothing else', () => {
    assert.deepEqual(Object.keys(entry).sort(), [
      'CONTROL_QUEUE',
      'CPU_QUEUE',
      'STAGES',
      'campaignProgress',
      'cpuActivities',
      'embedStage',
      'failureReport',
      'laneOptions',
      'predictCampaign',
      'slices',
      'stageProgress',
    ]);
  });

  // The bundler refuses Node built-ins by itself.
  it('bundles alone, with nothing of ours but workflows and contract', async () => {
    const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger: new DefaultLogger('ERROR') });
    const ours = sourcesOf(code).flatMap((source) => /^(?!.*node_modules).*\/src\/(.*)$/.exec(source)?.[1] ?? []);
    assert.ok(ours.includes('workflows/embed-stage.ts'), 'the source map names our files');
    assert.deepEqual(
      ours.filter((source) => !/^(workflows|contract)\//.test(source)),
      [],
    );
  });
});
