import path from 'node:path';
import { relativeError } from '../../inference/relative-error.js';
import { madeUpFrames } from '../made-up/frames.js';
import { embedFrames, type EmbeddedFrames } from './embed-frames.js';
import { type Bench, type Measurement, repeat } from './measurement.js';

/** Both encoders in each precision of a CPU, in turns: how quick int8 is beside fp32, and how far its vectors are off. */
export async function precision(bench: Bench): Promise<Measurement[]> {
  const frames = madeUpFrames(bench.size.sequences);
  const suite = 'precision';
  const measured: Measurement[] = [];
  for (const model of [bench.models.dna, bench.models.protein]) {
    const { fp32, int8, times, error } = await repeat(bench, async () => {
      const exact = await embedFrames(model, frames, bench, 'fp32');
      const reduced = await embedFrames(model, frames, bench, 'int8');
      return {
        fp32: exact.speed,
        int8: reduced.speed,
        times: reduced.speed / exact.speed,
        error: worstError(reduced, exact),
      };
    });
    const name = path.basename(model);
    measured.push(
      { suite, name: `${name}, fp32`, unit: 'tokens/s', better: 'higher', runs: fp32 },
      { suite, name: `${name}, int8`, unit: 'tokens/s', better: 'higher', runs: int8 },
      { suite, name: `${name}, int8 beside fp32`, unit: 'times as fast', better: 'higher', runs: times },
      { suite, name: `${name}, int8, worst vector`, unit: 'relative error', better: 'lower', runs: error },
    );
  }
  return measured;
}

/** {@link relativeError} of the frame that is off the most. */
function worstError(found: EmbeddedFrames, wanted: EmbeddedFrames): number {
  const { hidden } = wanted;
  const row = ({ vectors }: EmbeddedFrames, i: number): Float32Array => vectors.subarray(i * hidden, (i + 1) * hidden);
  const frames = wanted.vectors.length / hidden;
  return Math.max(...Array.from({ length: frames }, (_, i) => relativeError(row(found, i), row(wanted, i))));
}
