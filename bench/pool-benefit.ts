/** What keeping models loaded is worth: the same file batches with one load a lane, and with one a batch. */
import path from 'node:path';
import { STAGES } from '../src/contract/stages.js';
import { BenchTemporal } from './support/bench-temporal.js';
import { benchmark } from './support/benchmark.js';
import { round } from './support/figures.js';
import { writeContigs } from '../test/support/contigs.js';
import { secondsToLastBatch } from './support/histories.js';
import { readProvenance } from './support/provenance.js';
import { makeModel } from './support/random-models.js';

const LANES = 2;
const FRAMES_A_BATCH = 2;

await benchmark('pool-benefit', async ({ small, dir, row }) => {
  const batches = small ? 4 : 16;
  const repeats = small ? 1 : 3;
  const dnaModel = await makeModel(dir, 'dnabert2-117m');
  const input = await writeContigs(path.join(dir, 'input.fa'), batches * FRAMES_A_BATCH, { from: 150, to: 166 });
  const temporal = await BenchTemporal.start(dir, { lanes: LANES });
  try {
    for (const name of small ? ['esm2-8m'] : ['esm2-35m', 'esm2-150m']) {
      const proteinModel = await makeModel(dir, name);
      const models = { dnaModel, proteinModel, classifier: path.join(proteinModel, 'classifier.safetensors') };
      const measure = async (persistent: boolean): Promise<Measured> => {
        const run = await temporal.run(input, {
          ...models,
          lanes: LANES,
          batchSequences: FRAMES_A_BATCH,
          keepWarmSeconds: 0,
          persistent,
        });
        await run.handle.result();
        const made = await readProvenance(run.outputDir);
        const stages = STAGES.map(async (stage) => ({
          seconds: await secondsToLastBatch(run, stage),
          loads: made.stages[stage].modelLoads,
        }));
        return Promise.all(stages);
      };
      const persistent: Measured[] = [];
      const standard: Measured[] = [];
      // In turns, so that a machine that gets busier spoils both alike.
      for (let i = 0; i < repeats; i++) {
        persistent.push(await measure(true));
        standard.push(await measure(false));
      }
      STAGES.forEach((stage, i) => {
        const kept = persistent.map((stages) => round(stages[i]!.seconds));
        const reloaded = standard.map((stages) => round(stages[i]!.seconds));
        // Whatever else the machine does only adds: the least disturbed of each kind are compared.
        const [least, leastReloaded] = [Math.min(...kept), Math.min(...reloaded)];
        const [few, many] = [persistent[0]![i]!.loads, standard[0]![i]!.loads];
        row({
          stage,
          model: stage === 'dnabert-s' ? 'dnabert2-117m' : name,
          batches,
          'persistent, s': kept.join(' '),
          'standard, s': reloaded.join(' '),
          'least standard / least persistent': round(leastReloaded / least),
          'loads persistent': few,
          'loads standard': many,
          'seconds a load': round(((leastReloaded - least) * LANES) / (many - few)),
        });
      });
    }
  } finally {
    await temporal.close();
  }
});

/** A stage each. */
type Measured = { seconds: number; loads: number }[];
