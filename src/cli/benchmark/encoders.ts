import path from 'node:path';
import { madeUpFrames } from '../made-up/frames.js';
import { embedFrames } from './embed-frames.js';
import { type Bench, type Measurement, repeat } from './measurement.js';

/** Both encoders in this process: loading, and tokens a second of frames of 500 bases. */
export async function encoders(bench: Bench): Promise<Measurement[]> {
  const frames = madeUpFrames(bench.size.sequences);
  const measured: Measurement[] = [];
  for (const model of [bench.models.dna, bench.models.protein]) {
    const { load, speed } = await repeat(bench, async () => {
      const { load, speed } = await embedFrames(model, frames, bench);
      return { load, speed };
    });
    const name = path.basename(model);
    measured.push(
      { suite: 'encoders', name: `${name}, load`, unit: 's', better: 'lower', runs: load },
      { suite: 'encoders', name, unit: 'tokens/s', better: 'higher', runs: speed },
    );
  }
  return measured;
}
