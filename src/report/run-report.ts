import type { SampleCounts } from '../contract/run.js';
import type { SampleRow } from '../io/campaign-table.js';
import { Html } from './html.js';
import { type Column, cards, counted, page, table, whole } from './page.js';

/** The overview of a run's samples as one HTML file that links to theirs. */
export function runReport(samples: readonly SampleRow[]): string {
  const done = samples.filter(({ status }) => status === 'done');
  const sum = (name: keyof SampleCounts): number =>
    done.reduce((total, { counts }) => total + (counts?.[name] ?? 0), 0);
  const failed = samples.length - done.length;
  const withViral = done.filter(({ counts }) => (counts?.contigsViral ?? 0) > 0).length;
  const body = Html.of`
<header><h1>${counted(samples.length, 'sample')}</h1>
<p class="soft">VirNucPro: which sequences are viral? A name leads to the sample's own report; a heading sorts.</p></header>
${cards([
  { value: whole(done.length), name: failed > 0 ? `samples done, ${whole(failed)} failed` : 'samples done' },
  { value: whole(withViral), name: 'samples with a viral contig', virus: withViral > 0 },
  { value: whole(sum('contigsViral')), name: `viral contigs of ${whole(sum('contigs'))}`, virus: withViral > 0 },
  { value: whole(sum('viralRegions')), name: 'viral regions' },
  { value: whole(sum('framesQuarantined')), name: 'frames quarantined' },
])}
${failed > 0 ? failures(samples.filter(({ status }) => status !== 'done')) : Html.empty}
<h2>Samples</h2>
${table(samples, COLUMNS, { sortable: true })}
<footer>One file; it loads nothing. The same numbers: <code>campaign.tsv</code>, and for MultiQC <code>virnucpro_mqc.tsv</code>.</footer>`;
  return page('VirNucPro: overview of a run', body, { sortable: true });
}

function failures(failed: readonly SampleRow[]): Html {
  return Html.of`<h2>What failed</h2>
${table(failed, [
  { head: 'Sample', cell: ({ sample }) => sample, text: true },
  { head: 'Why', cell: ({ reason }) => reason, text: true },
])}`;
}

const COLUMNS: readonly Column<SampleRow>[] = [
  {
    head: 'Sample',
    cell: ({ sample, status }) =>
      status === 'done' ? Html.of`<a href="./${encodeURIComponent(sample)}/report.html">${sample}</a>` : sample,
    text: true,
  },
  { head: 'Status', cell: ({ status }) => status },
  count(
    'Viral contigs',
    (counts) => counts.contigsViral,
    (counts) => counts.contigs,
  ),
  count('Regions', (counts) => counts.viralRegions),
  count('Contigs', (counts) => counts.contigs),
  count('Not called', (counts) => counts.contigs - counts.contigsCalled),
  count(
    'Viral chunks',
    (counts) => counts.chunksViral,
    (counts) => counts.chunksCalled,
  ),
  count('Chunks called', (counts) => counts.chunksCalled),
  count('Quarantined', (counts) => counts.framesQuarantined),
];

/** A column of counts; with `of`, a line below shows the share. */
function count(
  head: string,
  value: (counts: SampleCounts) => number,
  of?: (counts: SampleCounts) => number,
): Column<SampleRow> {
  return {
    head,
    number: ({ counts }) => (counts === undefined ? -1 : value(counts)),
    cell: ({ counts }) => {
      if (counts === undefined) return '';
      const share = of === undefined || of(counts) === 0 ? 0 : value(counts) / of(counts);
      if (share === 0) return whole(value(counts));
      return Html.of`${whole(value(counts))}<i class="share" style="width:${(100 * share).toFixed(1)}%"></i>`;
    },
  };
}
