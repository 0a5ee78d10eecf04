import type { ArtifactRef } from '../contract/artifacts.js';
import { WAVE_SAMPLES } from '../contract/defaults.js';
import type { SampleSpec } from '../contract/run.js';
import { readJsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';

/** Argument of the `planWave` activity. */
export interface PlanWaveInput {
  samples: ArtifactRef;
  /** First sample of the wave. */
  cursor: number;
  store: string;
}

/** The samples of one wave, and where the next one starts. */
export interface Wave {
  samples: SampleSpec[];
  next?: number;
}

/** Picks the samples that the campaign takes together from `cursor` on. */
export async function planWave(input: PlanWaveInput): Promise<Wave> {
  const file = await openStore(input.store).get(input.samples);
  const end = input.cursor + WAVE_SAMPLES;
  const samples = await readJsonLines<SampleSpec>(file, input.cursor, end);
  return end < input.samples.records ? { samples, next: end } : { samples };
}
