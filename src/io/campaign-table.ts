import type { SampleCounts, SampleResult } from '../contract/run.js';

/** Counts of a sample that campaign.tsv shows, by column. */
const COUNTS: Readonly<Record<string, keyof SampleCounts>> = {
  contigs: 'contigs',
  contigs_called: 'contigsCalled',
  contigs_viral: 'contigsViral',
  viral_regions: 'viralRegions',
  chunks: 'chunks',
  chunks_called: 'chunksCalled',
  chunks_viral: 'chunksViral',
  frames: 'frames',
  frames_called: 'framesCalled',
  frames_viral: 'framesViral',
  frames_quarantined: 'framesQuarantined',
};

/**
 * campaign.tsv: one row a sample in the order of the campaign. `reason` is empty for `done`; a `failed` sample has no
 * counts.
 */
export function campaignTable(results: readonly SampleResult[]): string {
  const rows = results.map(({ sample, status, failure, counts }) => [
    sample,
    status,
    failure === undefined
      ? ''
      : oneLine(failure.where === undefined ? failure.what : `${failure.where}: ${failure.what}`),
    ...Object.values(COUNTS).map((name) => counts?.[name] ?? ''),
  ]);
  return [['sample', 'status', 'reason', ...Object.keys(COUNTS)], ...rows].map((row) => `${row.join('\t')}\n`).join('');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
