/**
 * Records the histories that test/workflows/replay.test.ts replays: one campaign, whole, and one whose first lane was
 * killed. Run it once for each release, `node dist/test/support/record-histories.js`, and commit the files.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { startCampaign } from '../../src/cli/campaign-client.js';
import { PROGRESS_QUERY, type CampaignProgress } from '../../src/contract/progress.js';
import { STAGES } from '../../src/contract/stages.js';
import { version } from '../../src/version.js';
import { sampleOf, testRunOptions } from './campaign.js';
import { eventually } from './processes.js';
import { goldenCases } from './golden.js';
import { startTestTemporal } from './temporal.js';

const FOLDER = 'test/workflows/histories';
const lambda = goldenCases.find(({ name }) => name === 'lambda-500')!;

async function record(client: Client, workflowId: string, name: string): Promise<void> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  await writeFile(
    path.join(FOLDER, `${version}-${name}.json`),
    JSON.stringify({ workflowId, history: JSON.parse(historyToJSON(history)) as unknown }),
  );
}

await mkdir(FOLDER, { recursive: true });
const temporal = await startTestTemporal(2);
try {
  for (const killed of [false, true]) {
    const outputDir = path.join(temporal.workDir, String(killed));
    const options = testRunOptions(outputDir, { lanes: 2, batchSequences: 5, persistent: !killed });
    const { handle } = await startCampaign(temporal.client, [sampleOf(`${lambda.dir}/input.fa`)], options);
    if (killed) {
      let pid = 0;
      await eventually(async () => {
        const progress = await handle.query<CampaignProgress>(PROGRESS_QUERY).catch(() => undefined);
        pid = progress?.stages['dnabert-s'].lanes.find(({ state }) => state === 'up')?.pid ?? 0;
        return pid > 0;
      }, 60_000);
      process.kill(pid, 'SIGKILL');
    }
    await handle.result();
    const name = killed ? 'lane-killed' : 'whole';
    await record(temporal.client, handle.workflowId, `predict-campaign-${name}`);
    for (const stage of STAGES) {
      const slices = temporal.client.workflow.list({
        query: `WorkflowId STARTS_WITH "${handle.workflowId}/${stage}/"`,
      });
      for await (const { workflowId } of slices) {
        await record(temporal.client, workflowId, `embed-stage-${stage}-${name}`);
      }
    }
  }
} finally {
  await temporal.close();
}
