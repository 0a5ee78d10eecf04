import path from 'node:path';
import { Embedder } from '../../inference/embedder.js';
import { cacheFolderPath } from '../../io/user-folders.js';
import { madeUpFrames } from '../made-up/frames.js';
import { type Bench, type Measurement, repeat } from './measurement.js';

/** Both encoders in this process: loading, and tokens a second of frames of 500 bases. */
export async function encoders(bench: Bench): Promise<Measurement[]> {
  const frames = madeUpFrames(bench.size.sequences);
  const measured: Measurement[] = [];
  for (const model of [bench.models.dna, bench.models.protein]) {
    const { load, speed } = await repeat(bench, () => embedAll(model, frames, bench));
    const name = path.basename(model);
    measured.push(
      { suite: 'encoders', name: `${name}, load`, unit: 's', better: 'lower', runs: load },
      { suite: 'encoders', name, unit: 'tokens/s', better: 'higher', runs: speed },
    );
  }
  return measured;
}

async function embedAll(
  model: string,
  frames: ReturnType<typeof madeUpFrames>,
  { threads, signal }: Bench,
): Promise<{ load: number; speed: number }> {
  const embedder = await Embedder.open({ model, cacheDir: cacheFolderPath(), threads });
  try {
    const { kind, loadSeconds } = embedder.facts;
    const sequences = await embedder.prepare(
      frames.map(({ nucleotide, protein }) => (kind === 'dnabert2' ? nucleotide : protein)),
    );
    let tokens = 0;
    const startedAt = performance.now();
    await embedder.embed(sequences, { signal, onProgress: ({ tokensDone }) => (tokens = tokensDone) });
    return { load: loadSeconds, speed: tokens / ((performance.now() - startedAt) / 1000) };
  } finally {
    await embedder.close();
  }
}
