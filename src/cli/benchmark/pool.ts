import { STAGES, type Stage } from '../../contract/stages.js';
import type { Provenance } from '../../io/provenance.js';
import { type Bench, type Measurement, repeat } from './measurement.js';
import { runPredict, writeContigs } from './run-predict.js';

/** The same file batches with one model load a lane and with one a batch, in turns; and how much of its time a loaded lane computes. */
export async function pool(bench: Bench): Promise<Measurement[]> {
  const input = await writeContigs(bench);
  // A contig has several frames: that makes a few file batches, for loads to weigh and for gaps between them.
  const batches = ['--lanes', '1', '--batch-sequences', String(2 * bench.size.contigs)];
  const figures = await repeat(bench, async () => {
    const persistent = await runPredict(bench, input, batches);
    const standard = await runPredict(bench, input, [...batches, '--no-persistent-models']);
    const [kept, reloaded] = [seconds(persistent), seconds(standard)];
    return {
      kept,
      reloaded,
      times: reloaded / kept,
      'dnabert-s': busyPercent(persistent, 'dnabert-s'),
      'esm-2': busyPercent(persistent, 'esm-2'),
    };
  });
  const suite = 'pool';
  return [
    { suite, name: 'stages, a model load a lane', unit: 's', better: 'lower', runs: figures.kept },
    { suite, name: 'stages, a model load a batch', unit: 's', better: 'lower', runs: figures.reloaded },
    { suite, name: 'persistent pool', unit: 'times as fast', better: 'higher', runs: figures.times },
    ...STAGES.map((stage): Measurement => {
      return { suite, name: `${stage} lane, loaded and busy`, unit: '%', better: 'higher', runs: figures[stage] };
    }),
  ];
}

function seconds({ stages }: Provenance): number {
  return STAGES.reduce((sum, stage) => sum + stages[stage].seconds, 0);
}

/** The share of its time from the model's load to the stage's end in which a lane makes model calls. */
function busyPercent({ lanes }: Provenance, stage: Stage): number {
  const own = lanes.filter((lane) => lane.stage === stage);
  const busy = own.reduce((sum, { busySeconds }) => sum + busySeconds, 0);
  const loaded = own.flatMap(({ spans }) => spans).reduce((sum, { ready, to }) => sum + to - ready, 0);
  return (100 * busy) / loaded;
}
