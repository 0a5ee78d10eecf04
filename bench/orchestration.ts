/** What the orchestration costs: batches that compute nothing on four lanes. ms and history events a batch. */
import path from 'node:path';
import { STAGES } from '../src/contract/stages.js';
import { BenchTemporal } from './support/bench-temporal.js';
import { benchmark } from './support/benchmark.js';
import { round } from './support/figures.js';
import { writeContigs } from '../test/support/contigs.js';
import { historyEvents, stageSpan } from './support/histories.js';

const LANES = 4;

await benchmark('orchestration', async ({ small, dir, row }) => {
  const temporal = await BenchTemporal.start(dir, { lanes: LANES, stub: { callMs: 0 } });
  try {
    for (const batches of small ? [20] : [100, 1000, 5000]) {
      const input = await writeContigs(path.join(dir, `${batches}.fa`), batches, { from: 100, to: 100 });
      const startedAt = Date.now();
      const run = await temporal.run(input, { lanes: LANES });
      await run.handle.result();
      const runSeconds = (Date.now() - startedAt) / 1000;
      const histories = await historyEvents(temporal.client, run.handle.workflowId);
      for (const stage of STAGES) {
        const slices = histories.filter(({ id }) => id.includes(`/${stage}/`)).map(({ events }) => events);
        row({
          batches,
          stage,
          'ms a batch': round((1000 * (await stageSpan(run, stage))) / batches),
          'events a batch': round(slices.reduce((sum, events) => sum + events, 0) / batches),
          'longest history': Math.max(...slices),
          'events of the campaign': histories.find(({ id }) => id === run.handle.workflowId)!.events,
          'whole run, s': round(runSeconds),
        });
      }
    }
  } finally {
    await temporal.close();
  }
});
