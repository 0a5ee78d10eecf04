import { STAGES, type Stage } from '../../contract/stages.js';
import type { Provenance } from '../../io/provenance.js';
import { type Bench, type Measurement, repeat } from './measurement.js';
import { runPredict, writeContigs } from './run-predict.js';

/** `virnucpro predict` as a user calls it, with a server and an agent of its own: start to last file. */
export async function predict(bench: Bench): Promise<Measurement[]> {
  const input = await writeContigs(bench);
  const figures = await repeat(bench, async () => {
    const startedAt = performance.now();
    const { lanes } = await runPredict(bench, input);
    const seconds = (performance.now() - startedAt) / 1000;
    const of = (stage: Stage): typeof lanes => lanes.filter((lane) => lane.stage === stage);
    return {
      seconds,
      'dnabert-s tokens/s': speed(of('dnabert-s')),
      'dnabert-s MB': peak(of('dnabert-s')),
      'esm-2 tokens/s': speed(of('esm-2')),
      'esm-2 MB': peak(of('esm-2')),
    };
  });
  const suite = 'predict';
  return [
    { suite, name: 'whole command', unit: 's', better: 'lower', runs: figures.seconds },
    ...STAGES.flatMap((stage): Measurement[] => [
      { suite, name: `${stage} lane`, unit: 'tokens/s', better: 'higher', runs: figures[`${stage} tokens/s`] },
      { suite, name: `${stage} lane, peak memory`, unit: 'MB', better: 'lower', runs: figures[`${stage} MB`] },
    ]),
  ];
}

/** Tokens a second of the time that lanes spent in model calls. */
function speed(lanes: Provenance['lanes']): number {
  const sum = (of: 'tokens' | 'busySeconds'): number => lanes.reduce((total, lane) => total + lane[of], 0);
  return sum('tokens') / sum('busySeconds');
}

/** The most memory that a lane's process had, in MB. */
function peak(lanes: Provenance['lanes']): number {
  return Math.max(...lanes.map(({ peakBytes = NaN }) => peakBytes)) / 1e6;
}
