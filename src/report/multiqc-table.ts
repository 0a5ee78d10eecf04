import type { SampleRow } from '../io/campaign-table.js';

/** Name of the table: MultiQC finds files that end in `_mqc.tsv` by itself. */
export const MULTIQC_TABLE = 'virnucpro_mqc.tsv';

/** What MultiQC needs to know, as YAML behind `#` (its custom content). */
const HEADER = `# id: 'virnucpro'
# section_name: 'VirNucPro'
# description: 'Which sequences look viral: contigs by the weighted score of all their chunks.'
# plot_type: 'table'
# pconfig:
#     id: 'virnucpro_table'
#     title: 'VirNucPro: viral sequences'
`;

/** A run's samples as a MultiQC table. A sample that failed has its status and no numbers. */
export function multiqcTable(samples: readonly SampleRow[]): string {
  const columns = {
    Sample: ({ sample }) => sample,
    Status: ({ status }) => status,
    'Viral contigs': ({ counts }) => counts?.contigsViral,
    'Viral contigs %': ({ counts }) => counts && percent(counts.contigsViral, counts.contigs),
    'Viral regions': ({ counts }) => counts?.viralRegions,
    Contigs: ({ counts }) => counts?.contigs,
    'Contigs not called': ({ counts }) => counts && counts.contigs - counts.contigsCalled,
    'Viral chunks': ({ counts }) => counts?.chunksViral,
    'Chunks called': ({ counts }) => counts?.chunksCalled,
    'Quarantined frames': ({ counts }) => counts?.framesQuarantined,
  } satisfies Record<string, (row: SampleRow) => string | number | undefined>;
  const rows = samples.map((row) => Object.values(columns).map((cell) => cell(row) ?? ''));
  return HEADER + [Object.keys(columns), ...rows].map((row) => `${row.join('\t')}\n`).join('');
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0.00' : ((100 * part) / whole).toFixed(2);
}
