import path from 'node:path';
import { type Bin, histogram, track } from './charts.js';
import { howItRan } from './how-it-ran.js';
import { Html } from './html.js';
import { basesText, cards, counted, facts, page, shares, table, whole } from './page.js';
import { type SampleData, tierRank } from './sample-data.js';
import { SHOWN } from './shown.js';
import type { ContigView, TrackView } from './track.js';

const REASONS: Readonly<Record<string, string>> = {
  empty: 'no sequence',
  too_short: 'under 3 bases: no codon',
  no_open_frame: 'every reading frame of every chunk holds a stop codon',
  quarantined: 'its frames could not be embedded',
};

/** A sample's report as one HTML file. */
export async function sampleReport(data: SampleData): Promise<string> {
  const { provenance, stem } = data;
  const input = path.basename(provenance.input.path);
  const body = Html.of`
<header><h1>${stem}</h1>
<p class="soft">VirNucPro: which sequences are viral? ${provenance.created.slice(0, 16).replace('T', ' ')} UTC, ${provenance.tool} ${provenance.version}</p></header>
${findings(data)}
<h2>What was asked</h2>
${facts([
  ['Input', `${input}, ${counted(provenance.input.records, 'contig')}, ${counted(provenance.input.bytes, 'byte')}`],
  ['Chunks', `${provenance.options['expected-length']} bases`],
  ...provenance.models.map(({ role, path: file, precision }): [string, string] => [
    role,
    [path.basename(file), ...(precision === undefined ? [] : [precision])].join(', '),
  ]),
])}
<h2>What was found</h2>
${verdictTable(data)}
${await scoreCharts(data)}
<h2>Contigs</h2>
${await contigSection(data)}
<h2>Viral regions</h2>
${regionSection(data)}
<h2>What was not called, and why</h2>
${notCalledSection(data)}
<h2>How it ran</h2>
${await howItRan(data)}
<h2>Provenance</h2>
${provenanceSection(data)}
<footer>One file; it loads nothing. Numbers behind it: <code>contigs.tsv</code>, <code>frames.parquet</code>, <code>accounting.tsv</code>, <code>viral_regions.bed</code>.</footer>`;
  return page(`${stem}: VirNucPro report`, body);
}

function findings({ provenance, regions, contigs, verdicts, chunks }: SampleData): Html {
  const viral = [...verdicts].filter(([verdict]) => verdict.startsWith('Viral'));
  const sum = (of: 'contigs' | 'bases'): number => viral.reduce((total, [, count]) => total + count[of], 0);
  const { framesCalled = 0 } = provenance.counts;
  const none = sum('contigs') === 0 && contigs > 0;
  return Html.of`${cards([
    { value: whole(sum('contigs')), name: `viral contigs of ${whole(contigs)}`, virus: sum('contigs') > 0 },
    { value: basesText(sum('bases')), name: 'in viral contigs' },
    { value: whole(regions.total), name: `viral regions, ${basesText(regions.bases)}` },
    { value: whole(chunks.viral), name: `viral chunks of ${whole(chunks.viral + chunks.other)} called` },
    { value: whole(framesCalled), name: 'frames scored' },
  ])}
${contigs === 0 ? Html.of`<p>The input holds no sequence, so there is nothing to find.</p>` : Html.empty}
${none ? Html.of`<p>No contig is viral by all its chunks. The nearest ones are below.</p>` : Html.empty}`;
}

function verdictTable({ verdicts }: SampleData): Html {
  const order = ['Viral', 'Ambiguous', 'Non-viral', 'Unclassified'];
  const rows = [...verdicts]
    .map(([verdict, count]) => {
      const [call, tier = ''] = verdict.split(' ') as [string, string?];
      return { call, tier, ...count };
    })
    .sort((a, b) => order.indexOf(a.call) - order.indexOf(b.call) || tierRank(a.tier) - tierRank(b.tier));
  if (rows.length === 0) return Html.of`<p>No contig.</p>`;
  return table(
    rows,
    [
      { head: 'Call', cell: ({ call }) => call },
      { head: 'Tier', cell: ({ tier }) => tier.replaceAll('_', ' ') },
      { head: 'Contigs', cell: (row) => whole(row.contigs), number: (row) => row.contigs },
      { head: 'Bases', cell: (row) => basesText(row.bases), number: (row) => row.bases },
    ],
    {
      caption:
        'Calls weigh all chunks of a contig (weighted delta over 0.3 is viral, under -0.3 non-viral); tiers say how ' +
        'many chunks are sure. Contigs of under five called chunks lose a tier.',
    },
  );
}

async function scoreCharts({ chunkScores, contigScores, chunks }: SampleData): Promise<Html> {
  if (chunks.viral + chunks.other === 0) return Html.of`<p>No chunk was scored.</p>`;
  const chart = (title: string, bins: readonly Bin[], x: string, y: string): Promise<Html> =>
    histogram(bins, title, x, y).then((svg) => Html.of`<div><h3>${title}</h3>${svg}</div>`);
  return Html.of`<div class="pair">
${await chart('Chunks by their highest P(virus)', chunkScores, 'P(virus)', 'chunks')}
${await chart('Contigs by their weighted delta', contigScores, 'weighted delta: -1 others, 1 virus', 'contigs')}
</div>
<div class="legend"><span class="key virus">viral</span><span class="key other">not viral</span><span class="key unsure">ambiguous</span></div>`;
}

async function contigSection({ topContigs, tracks, contigsCalled }: SampleData): Promise<Html> {
  if (topContigs.length === 0) return Html.of`<p>No contig was called.</p>`;
  const drawn: Html[] = [];
  for (const one of tracks) drawn.push(await trackFigure(one));
  return Html.of`<p class="soft">Each mark is a called chunk: its place, and the higher of its two scores in the colour of that side
(as the original's drew_fig.py draws it). Shaded: viral regions. Gaps: chunks that were not called.</p>
${drawn}
${contigTable(topContigs, contigsCalled)}`;
}

async function trackFigure({ contig, marks, chunksOfMark, regions }: TrackView): Promise<Html> {
  const coarse =
    chunksOfMark > 1
      ? Html.of`<span class="soft">; each mark is the mean of ${chunksOfMark} chunks</span>`
      : Html.empty;
  const svg = await track(marks, regions, contig.length, `scores along the contig, ${marks.length} marks`);
  return Html.of`<h3>${contig.id} <span class="soft">${basesText(contig.length)}, ${verdict(contig)}</span>${coarse}</h3>
<div class="wide">${svg}</div>`;
}

function contigTable(shown: readonly ContigView[], called: number): Html {
  const caption =
    called > shown.length
      ? `The first ${shown.length} of ${whole(called)} called contigs: viral ones by tier, then those with a viral region, then the highest scores. contigs.tsv has all.`
      : 'Viral contigs by tier, then those with a viral region, then the highest scores.';
  return table(
    shown,
    [
      { head: 'Contig', cell: ({ id }) => id, text: true },
      { head: 'Call', cell: verdict, text: true },
      { head: 'Length', cell: ({ length }) => whole(length), number: ({ length }) => length },
      { head: 'Weighted delta', cell: (row) => row.weightedDelta.toFixed(3), number: (row) => row.weightedDelta },
      {
        head: 'Viral chunks',
        cell: (row) => `${whole(row.chunksViral)} of ${whole(row.chunksCalled)}`,
        number: (row) => row.chunksViral,
      },
      { head: 'Region bases', cell: (row) => whole(row.regionBases), number: (row) => row.regionBases },
    ],
    { caption },
  );
}

function verdict({ call, tier }: Pick<ContigView, 'call' | 'tier'>): string {
  return tier === '' ? call : `${call}, ${tier.replaceAll('_', ' ')}`;
}

function regionSection({ regions: { total, bases, top } }: SampleData): Html {
  if (total === 0) return Html.of`<p>None.</p>`;
  const which = total > top.length ? `The ${top.length} longest of ${whole(total)} regions` : counted(total, 'region');
  return table(
    top,
    [
      { head: 'Contig', cell: ({ contig }) => contig, text: true },
      { head: 'From', cell: ({ start }) => whole(start + 1), number: ({ start }) => start },
      { head: 'To', cell: ({ end }) => whole(end), number: ({ end }) => end },
      { head: 'Bases', cell: ({ start, end }) => whole(end - start), number: ({ start, end }) => end - start },
      { head: 'Mean P(virus)', cell: ({ score }) => score.toFixed(3), number: ({ score }) => score },
    ],
    { caption: `${which}, ${basesText(bases)} in all: merged viral chunks. viral_regions.bed and .gff3 have all.` },
  );
}

function notCalledSection({ contigs: all, chunks, reasons, notCalled, quarantined }: SampleData): Html {
  if (all === 0) return Html.of`<p>There was no contig.</p>`;
  const contigs = [...reasons.values()].reduce((sum, count) => sum + count.contigs, 0);
  return Html.of`
<p>Chunks of all contigs:</p>
${shares([
  { name: 'viral', tone: 'virus', count: chunks.viral },
  { name: 'not viral', tone: 'other', count: chunks.other },
  { name: 'no open frame, so no score', tone: 'none', count: chunks.noOpenFrame },
  { name: 'quarantined', tone: 'unsure', count: chunks.quarantined },
])}
${contigs === 0 ? Html.of`<p>Every contig was called.</p>` : reasonTable(reasons)}
${
  contigs === 0
    ? Html.empty
    : table(
        notCalled,
        [
          { head: 'Contig', cell: ({ id }) => id, text: true },
          { head: 'Length', cell: ({ length }) => whole(length), number: ({ length }) => length },
          { head: 'Reason', cell: ({ reason }) => reason },
        ],
        {
          caption:
            contigs > SHOWN.notCalled
              ? `The ${SHOWN.notCalled} longest of ${whole(contigs)}; accounting.tsv has all.`
              : '',
        },
      )
}
${quarantineTable(quarantined)}`;
}

function reasonTable(reasons: SampleData['reasons']): Html {
  return table(
    [...reasons],
    [
      { head: 'Reason', cell: ([reason]) => reason },
      { head: 'Which means', cell: ([reason]) => REASONS[reason] ?? '', text: true },
      { head: 'Contigs', cell: ([, count]) => whole(count.contigs), number: ([, count]) => count.contigs },
      { head: 'Bases', cell: ([, count]) => basesText(count.bases), number: ([, count]) => count.bases },
    ],
  );
}

function quarantineTable({ byReason, first }: SampleData['quarantined']): Html {
  if (byReason.size === 0) return Html.of`<p>No frame was quarantined.</p>`;
  const total = [...byReason.values()].reduce((sum, count) => sum + count, 0);
  const counts = [...byReason].map(([reason, count]) => `${reason} ${whole(count)}`).join(', ');
  return Html.of`<p>Quarantined frames: ${counts}.</p>
${table(
  first,
  [
    { head: 'Frame', cell: ({ id }) => id, text: true },
    { head: 'Stage', cell: ({ stage }) => stage },
    { head: 'Reason', cell: ({ reason }) => reason },
  ],
  { caption: total > first.length ? `The first ${first.length} of ${whole(total)}; quarantined.tsv has all.` : '' },
)}`;
}

function provenanceSection({ provenance }: SampleData): Html {
  const { input, options, models, versions, workflow, files } = provenance;
  const listed = (record: object): string =>
    Object.entries(record)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  return Html.of`${facts([
    ['Input SHA-256', Html.of`<code>${input.sha256}</code>`],
    ...models.map((model): [string, Html] => [
      model.role,
      Html.of`<code>${model.digest}</code> ${listed(model.dims)}<br><span class="soft">${model.path}</span>`,
    ]),
    ['Options', listed(options)],
    ['Versions', listed(versions)],
    ['Workflow', Html.of`<code>${workflow.id}</code> run <code>${workflow.runId}</code> in ${workflow.namespace}`],
  ])}
<details><summary>${files.length} result files and their digests</summary>
${table(files, [
  { head: 'File', cell: (file) => path.basename(file.path) },
  { head: 'Bytes', cell: ({ bytes }) => whole(bytes), number: ({ bytes }) => bytes },
  { head: 'SHA-256', cell: ({ sha256 }) => Html.of`<code>${sha256}</code>`, text: true },
])}</details>`;
}
