/** Resident memory of one persistent lane after 20 and after 200 batches of mixed lengths. Target: within 10 %. */
import path from 'node:path';
import { STAGES } from '../src/contract/stages.js';
import { laneMemory, memoryAfter } from '../test/support/lane-memory.js';
import { BenchTemporal } from './support/bench-temporal.js';
import { benchmark } from './support/benchmark.js';
import { round } from './support/figures.js';
import { writeContigs } from '../test/support/contigs.js';
import { makeModel } from './support/random-models.js';

const FRAMES_A_BATCH = 8;

await benchmark('lane-memory', async ({ small, dir, row }) => {
  const batches = 220;
  const input = await writeContigs(path.join(dir, 'input.fa'), batches * FRAMES_A_BATCH, { from: 20, to: 166 });
  const temporal = await BenchTemporal.start(dir, { lanes: 1 });
  try {
    const proteinModel = await makeModel(dir, 'esm2-35m');
    const real = {
      dnaModel: await makeModel(dir, 'dnabert2-117m'),
      proteinModel,
      classifier: path.join(proteinModel, 'classifier.safetensors'),
    };
    for (const [names, models] of [
      [['dnabert2-tiny', 'esm2-tiny'], {}],
      ...(small ? [] : ([[['dnabert2-117m', 'esm2-35m'], real]] as const)),
    ] as const) {
      const run = await temporal.run(input, { ...models, batchSequences: FRAMES_A_BATCH, keepWarmSeconds: 0 });
      await run.handle.result();
      for (const [i, stage] of STAGES.entries()) {
        const seen = await laneMemory(temporal.stateDir, run.handle.workflowId, stage);
        const [early, late] = [memoryAfter(20, seen), memoryAfter(200, seen)];
        row({
          model: names[i]!,
          'after 1, MB': round(memoryAfter(1, seen)),
          'after 20, MB': round(early),
          'after 200, MB': round(late),
          'change, %': round((100 * (late - early)) / early),
          'largest, MB': round(Math.max(...seen)),
        });
      }
    }
  } finally {
    await temporal.close();
  }
});
