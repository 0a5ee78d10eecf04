import path from 'node:path';
import { InputError } from '../contract/failures.js';
import type { SampleCounts, SampleResult } from '../contract/run.js';
import { readTable } from './read-table.js';
import { isPlainKey } from './store-uri.js';

/** Name of the table of a run's samples, in its output folder. */
export const CAMPAIGN_TABLE = 'campaign.tsv';

/** The columns of a sample's counts. */
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

/** A sample as campaign.tsv has it; counts are missing for one that failed. */
export interface SampleRow {
  sample: string;
  status: string;
  reason: string;
  counts?: SampleCounts;
}

/**
 * Reads the campaign.tsv of a run's output folder.
 * @throws InputError when there is none, it is of an older version, or a name in it leads out of the folder.
 */
export async function readCampaignTable(folder: string): Promise<SampleRow[]> {
  const file = path.join(folder, CAMPAIGN_TABLE);
  const rows: SampleRow[] = [];
  for await (const row of readTable(file, ['sample', 'status', 'reason', ...Object.keys(COUNTS)])) {
    const sample = row['sample']!;
    if (path.basename(sample) !== sample || !isPlainKey(sample)) {
      throw new InputError({
        what: `${JSON.stringify(sample)} is no sample name`,
        where: file,
        next: 'Run predict again',
      });
    }
    const counts = Object.entries(COUNTS).map(([column, name]) => [name, Number(row[column])]);
    rows.push({
      sample,
      status: row['status']!,
      reason: row['reason']!,
      ...(row['contigs'] !== '' && { counts: Object.fromEntries(counts) as unknown as SampleCounts }),
    });
  }
  return rows;
}
