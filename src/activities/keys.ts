import type { Stage } from '../contract/stages.js';
import type { SampleSpec } from '../contract/run.js';

/** Key prefix of a sample's intermediate artifacts: gone when the sample is classified, unless they are kept. */
export function workPrefix(sample: Pick<SampleSpec, 'prefix'>): string {
  return `${sample.prefix}.virnucpro/work/`;
}

/** Key of the manifest that a stage of a wave runs over: gone when the wave is recorded. */
export function waveManifestKey(cursor: number, stage: Stage): string {
  return `.virnucpro/work/wave-${cursor}-${stage}.jsonl`;
}

/** Key of the record of how a wave's stages went: gone when the wave is recorded. */
export function waveStagesKey(cursor: number): string {
  return `.virnucpro/work/wave-${cursor}-stages.jsonl`;
}

/** Key of the record of how a wave's samples ended. */
export function waveRecordKey(cursor: number): string {
  return `.virnucpro/waves/wave-${cursor}.jsonl`;
}

/** Key of the proof that a sample is finished. */
export function finishedKey(sample: Pick<SampleSpec, 'prefix'>): string {
  return `${sample.prefix}.virnucpro/finished.json`;
}

/** Key prefix of a sample's embeddings, of all stages. */
export function embeddingsPrefix(sample: Pick<SampleSpec, 'prefix'>): string {
  return `${sample.prefix}embeddings/`;
}
