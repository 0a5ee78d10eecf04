import assert from 'node:assert/strict';
import { followCampaign } from '../../src/cli/campaign-client.js';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';
import { eventually } from '../support/processes.js';

describeWithBench('a rolling upgrade to a build that cannot replay what the old one did', 0, (scene) => {
  it('leaves the run to the old agent while that is there, then starts it anew from its artifacts', async () => {
    const { bench, undisturbed } = scene;
    await bench.behave({ callMs: 1000 });
    const old = await bench.startAgent({ host: 'old', roles: 'control,cpu,lanes' });
    const run = await bench.run();
    const { workflowId } = run.handle;
    const runId = async (): Promise<string> => (await bench.client.workflow.getHandle(workflowId).describe()).runId;
    const begun = await runId();
    const notices = new Set<string>();
    const following = followCampaign(bench.client, run.handle, (_, troubles) =>
      troubles.forEach((one) => notices.add(one)),
    );
    await run.midBatch('dnabert-s', 3, 3 * PATIENCE_MS);
    await bench.startAgent({ host: 'new', otherBuild: true });
    await run.midBatch('dnabert-s', 5, 2 * PATIENCE_MS);
    assert.equal(await runId(), begun, 'the old agent goes on with it');

    assert.equal(await old.kill('SIGTERM'), 0);
    const wedgedMs = await eventually(async () => (await runId()) !== begun, 2 * PATIENCE_MS);
    await bench.behave({});
    const { counts } = await following;
    assert.deepEqual(counts, { done: 1, failed: 0, framesQuarantined: 0 });
    await assertSameTables(run.outputDir, undisturbed);
    assert.match([...notices].join('\n'), /started anew, as no agent could replay/);
    const open = bench.client.workflow.list({ query: "ExecutionStatus = 'Running'" });
    for await (const { workflowId } of open) assert.fail(`${workflowId} is still open`);
    console.log(`      started anew ${(wedgedMs / 1000).toFixed(0)} s after the last old agent had left`);
  }).timeout(6 * PATIENCE_MS);
});
