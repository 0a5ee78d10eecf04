import { InputError } from '../contract/failures.js';
import type { SampleSpec } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
import { isPlainKey } from '../io/store-uri.js';

/**
 * Makes sure that a sample's names stay in the run's folder: a host's workflow may have them from file names.
 * @throws InputError when they lead elsewhere.
 */
export function checkNames({ stem, prefix, name }: SampleSpec): void {
  const isName = isPlainKey(stem) && !/[/\\]/.test(stem);
  if (isName && (prefix === '' || (prefix.endsWith('/') && isPlainKey(prefix.slice(0, -1))))) return;
  throw new InputError({
    what: `the stem ${JSON.stringify(stem)} with the prefix ${JSON.stringify(prefix)} leaves the output folder`,
    where: `sample ${name}`,
    next: 'Give a stem without slashes, and as prefix nothing, or a folder that ends in one',
  });
}

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
