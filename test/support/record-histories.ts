/**
 * Records the histories that test/workflows/replay.test.ts replays. Run it once for each release,
 * `node dist/test/support/record-histories.js`, and commit the files.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { startCampaign } from '../../src/cli/campaign-client.js';
import { COMMANDS } from '../../src/contract/commands.js';
import { version } from '../../src/version.js';
import { sampleOf, testRunOptions } from './campaign.js';
import { FaultBench, PATIENCE_MS } from './faults/fault-bench.js';
import { poisonTokens } from './faults/poison.js';
import { WatchedRun } from './faults/watched-run.js';
import { goldenCases } from './golden.js';

const FOLDER = 'test/workflows/histories';

/** Keeps the histories of a run and of all its slices; a run that continued as new has several. */
async function record(bench: FaultBench, { handle }: WatchedRun, name: string): Promise<void> {
  const { workflow } = bench.client;
  const id = handle.workflowId;
  const counts = new Map<string, number>();
  const found = workflow.list({ query: `WorkflowId = "${id}" OR WorkflowId STARTS_WITH "${id}/"` });
  for await (const { workflowId, runId, type } of found) {
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    const history = await workflow.getHandle(workflowId, runId).fetchHistory();
    await writeFile(
      path.join(FOLDER, `${version}-${name}-${type}-${count}.json`),
      withoutPaths(JSON.stringify({ workflowId, history: JSON.parse(historyToJSON(history)) as unknown })),
    );
  }
}

/** In payloads, which are base64, and beside them. */
function withoutPaths(history: string): string {
  const without = (text: string): string => text.replaceAll(process.cwd(), '/virnucpro');
  return without(history).replace(/"data":"([^"]*)"/g, (_, data: string) => {
    const text = without(Buffer.from(data, 'base64').toString());
    return `"data":"${Buffer.from(text).toString('base64')}"`;
  });
}

/** Two samples in two waves, told everything that a run can be told. */
async function steered(bench: FaultBench): Promise<WatchedRun> {
  await bench.behave({ callMs: 500 });
  const outputDir = path.join(bench.dir, 'steered');
  const options = testRunOptions(outputDir, { lanes: 2, batchSequences: 5, waveBytes: 1 });
  const samples = goldenCases.map(({ dir, name }) => ({ ...sampleOf(`${dir}/input.fa`, `${name}/`), name }));
  const { handle } = await startCampaign(bench.client, samples.slice(0, 2), options, 'steered');
  const run = new WatchedRun(bench.client, handle, options);
  await run.midBatch('dnabert-s', 2, PATIENCE_MS);
  await handle.executeUpdate(COMMANDS.pause);
  await run.until(({ stages }) => stages['dnabert-s'].lanes.length === 0, PATIENCE_MS);
  await handle.executeUpdate(COMMANDS.resume);
  await run.lanePids('dnabert-s', 2, PATIENCE_MS);
  await handle.executeUpdate(COMMANDS.setMaxLanes, { args: [{ lanes: 1 }] });
  await handle.executeUpdate(COMMANDS.setMaxLanes, { args: [{ lanes: 2 }] });
  await run.lanePids('dnabert-s', 2, PATIENCE_MS);
  const [lane] = (await run.progress()).stages['dnabert-s'].lanes;
  await handle.executeUpdate(COMMANDS.drainLane, { args: [{ lane: `${lane!.host}/${lane!.device}` }] });
  return run;
}

const SCENARIOS: Record<string, (bench: FaultBench) => Promise<WatchedRun>> = {
  whole: (bench) => bench.run({ batchSequences: 5 }),
  'lane-killed': async (bench) => {
    await bench.behave({ callMs: 500 });
    const run = await bench.run({ batchSequences: 5, persistent: false });
    const [pid] = await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    process.kill(pid!, 'SIGKILL');
    return run;
  },
  poison: async (bench) => {
    await bench.behave({ faults: [{ tokens: await poisonTokens('dnabert-s', bench.dir), then: 'abort' }] });
    return bench.run({ batchSequences: 16 });
  },
  steered,
};

await mkdir(FOLDER, { recursive: true });
for (const [name, start] of Object.entries(SCENARIOS)) {
  const bench = await FaultBench.start(2);
  try {
    const run = await start(bench);
    await run.result(5 * PATIENCE_MS);
    await record(bench, run, name);
  } finally {
    await bench.close();
  }
}
