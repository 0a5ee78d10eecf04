import path from 'node:path';
import { InputError } from '../contract/failures.js';
import { readTable } from '../io/read-table.js';

/** Name of the table of a run's samples, in its output folder. */
export const CAMPAIGN_TABLE = 'campaign.tsv';

const COUNTS = [
  'contigs',
  'contigs_called',
  'contigs_viral',
  'viral_regions',
  'chunks',
  'chunks_called',
  'chunks_viral',
  'frames_quarantined',
] as const;

/** A sample as campaign.tsv has it; counts are missing for one that failed. */
export interface SampleRow {
  sample: string;
  status: string;
  reason: string;
  counts?: Record<(typeof COUNTS)[number], number>;
}

/**
 * Reads a run's campaign.tsv.
 * @throws InputError when there is none, or it is of an older version.
 */
export async function readRunTable(folder: string): Promise<SampleRow[]> {
  const file = path.join(folder, CAMPAIGN_TABLE);
  const rows: SampleRow[] = [];
  for await (const row of readTable(file, ['sample', 'status', 'reason', ...COUNTS])) {
    const sample = row['sample']!;
    if (path.basename(sample) !== sample) {
      throw new InputError({
        what: `${JSON.stringify(sample)} is no sample name`,
        where: file,
        next: 'Run predict again',
      });
    }
    const counts = Object.fromEntries(COUNTS.map((name) => [name, Number(row[name])]));
    rows.push({
      sample,
      status: row['status']!,
      reason: row['reason']!,
      ...(row['contigs'] === '' ? {} : { counts: counts as NonNullable<SampleRow['counts']> }),
    });
  }
  return rows;
}
