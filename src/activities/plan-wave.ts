import { open, stat, statfs } from 'node:fs/promises';
import type { ArtifactRef } from '../contract/artifacts.js';
import { BASES_PER_FRAME, PACKED_RATIO, WAVE_BYTES, WAVE_SAMPLES } from '../contract/defaults.js';
import type { RunModels, RunOptions, SampleCounts, SampleSpec } from '../contract/run.js';
import { jsonLines } from '../io/json-lines.js';
import { MAGIC_BYTES, isPacked } from '../io/input.js';
import { openStore } from '../io/open-store.js';
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
    const limit = Math.min(options.waveBytes ?? WAVE_BYTES, (await freeBytes(options.outputDir)) / 2);
    const wave: Wave = { samples: [] };
    let bytes = 0;
    const file = await openStore(options.outputDir).get(samples);
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
  const size = await stat(input).then(
    (found) => found.size,
    () => 0,
  );
  const bases = size * ((await isPackedFile(input)) ? PACKED_RATIO : 1);
  return (bases / BASES_PER_FRAME) * (dna.hidden + protein.hidden) * Float32Array.BYTES_PER_ELEMENT;
}

async function isPackedFile(input: string): Promise<boolean> {
  const file = await open(input).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0);
    return isPacked(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
