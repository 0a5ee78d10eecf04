import type { ArtifactRef } from '../contract/artifacts.js';
import { BASES_PER_FRAME, PACKED_RATIO, WAVE_BYTES, WAVE_SAMPLES } from '../contract/defaults.js';
import { StorageError } from '../contract/failures.js';
import type { RunModels, RunOptions, SampleCounts, SampleSpec } from '../contract/run.js';
import { jsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';
import { inputSize } from '../io/sample-input.js';
import { findFinished, removeTables, tidySample } from './finished-sample.js';
import { startHeartbeat } from './heartbeat.js';

/** Argument of the `planWave` activity. */
export interface PlanWaveInput {
  samples: ArtifactRef;
  /** First sample of the wave. */
  cursor: number;
  options: RunOptions;
  models: RunModels;
}

/** A sample, and its counts when an earlier run finished it: then nothing is left to do for it. */
export interface PlannedSample {
  sample: SampleSpec;
  finished?: SampleCounts;
}

/** The samples of one wave, and where the next one starts. */
export interface Wave {
  samples: PlannedSample[];
  next?: number;
}

/**
 * Picks the samples that the campaign takes together from `cursor` on: at most WAVE_SAMPLES, and no more than their
 * embeddings have room for (`waveBytes`, and half of what is free), but always one.
 */
export async function planWave({ samples, cursor, options, models }: PlanWaveInput): Promise<Wave> {
  const heartbeat = startHeartbeat({ state: 'planning' });
  try {
    const store = openStore(options.outputDir);
    const limit = Math.min(options.waveBytes ?? WAVE_BYTES, (await store.freeBytes()) / 2);
    const wave: Wave = { samples: [] };
    let bytes = 0;
    const file = await store.get(samples);
    for await (const sample of jsonLines<SampleSpec>(file, cursor)) {
      const taken = wave.samples.length;
      if (taken === WAVE_SAMPLES) return { ...wave, next: cursor + taken };
      const finished = await findFinished({ sample, options, models });
      if (finished !== undefined) {
        await tidySample({ sample, options });
        wave.samples.push({ sample, finished });
      } else {
        bytes += await embeddingBytes(sample.input, models);
        if (taken > 0 && bytes > limit) return { ...wave, next: cursor + taken };
        await removeTables({ sample, options });
        wave.samples.push({ sample });
      }
      heartbeat.details({ state: 'planning', samples: wave.samples.length });
    }
    return wave;
  } finally {
    heartbeat.stop();
  }
}

/** About what a sample's embeddings will take, from its file's size. A missing file takes none, and fails later. */
async function embeddingBytes(input: string, { dna, protein }: RunModels): Promise<number> {
  const { bytes, packed } = await inputSize(input).catch((error: unknown) => {
    if (error instanceof StorageError) throw error;
    return { bytes: 0, packed: false };
  });
  const bases = bytes * (packed ? PACKED_RATIO : 1);
  return (bases / BASES_PER_FRAME) * (dna.hidden + protein.hidden) * Float32Array.BYTES_PER_ELEMENT;
}
