import type { SampleSpec } from '../contract/run.js';

/** Key prefix of a sample's intermediate artifacts: gone when the sample is classified, unless they are kept. */
export function workPrefix(sample: Pick<SampleSpec, 'prefix'>): string {
  return `${sample.prefix}.virnucpro/work/`;
}
