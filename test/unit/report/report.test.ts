import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InputError } from '../../../src/contract/failures.js';
import type { SampleResult } from '../../../src/contract/run.js';
import { campaignTable } from '../../../src/io/campaign-table.js';
import { readSample } from '../../../src/report/sample-data.js';
import { rewriteReports } from '../../../src/report/write-report.js';
import { type FakeContig, fakeLane, fakeMetagenome, numbers, writeFakeSample } from '../../support/report-folders.js';

const HOSTILE = `<script>alert("x")</script>&amp;"'`;

describe('report', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-report-'))));
  after(() => rm(dir, { recursive: true }));
  const at = (name: string): string => path.join(dir, name);

  /** Writes a sample and its report; gives the report without its styles. */
  const reportOf = async (name: string, contigs: readonly FakeContig[]): Promise<string> => {
    await writeFakeSample(at(name), name, contigs);
    const text = await readFile(await rewriteReports(at(name)), 'utf8');
    return text.replace(/<style>.*?<\/style>/s, '');
  };

  it('reads back what a sample wrote, by value', async () => {
    await writeFakeSample(at('values'), 'values', [
      { id: 'phage', length: 3000, scores: [0.9, 0.95, undefined, 0.9, 0.92, 0.97] },
      { id: 'host', length: 3000, scores: [0.1, 0.1, 0.9, 0.1, 0.1, undefined], quarantined: [2] },
      { id: 'shut', length: 700, scores: [undefined, undefined] },
      { id: 'tiny', length: 2, scores: [undefined] },
    ]);
    const data = await readSample(at('values'));
    assert.deepEqual(
      [...data.verdicts],
      [
        ['Viral high_confidence', { contigs: 1, bases: 3000 }],
        ['Non-viral low_confidence', { contigs: 1, bases: 3000 }],
        ['Unclassified', { contigs: 2, bases: 702 }],
      ],
    );
    assert.deepEqual(data.chunks, { viral: 6, other: 3, noOpenFrame: 5, quarantined: 1 });
    assert.deepEqual(Object.fromEntries(data.reasons), {
      no_open_frame: { contigs: 1, bases: 700 },
      too_short: { contigs: 1, bases: 2 },
    });
    assert.deepEqual(data.regions, {
      total: 2,
      bases: 3500,
      top: [
        { contig: 'phage', start: 0, end: 3000, score: 0.928 },
        { contig: 'host', start: 1000, end: 1500, score: 0.9 },
      ],
    });
    assert.deepEqual(
      data.tracks.map(({ contig, marks }) => [contig.id, marks.map(({ start, tone }) => `${start} ${tone}`)]),
      [
        ['phage', ['0 virus', '500 virus', '1500 virus', '2000 virus', '2500 virus']],
        ['host', ['0 other', '1000 virus', '1500 other', '2000 other']],
      ],
    );
    assert.deepEqual([...data.quarantined.byReason], [['esm-2: non_finite', 1]]);
    const binned = data.chunkScores.reduce((sum, { count }) => sum + count, 0);
    assert.equal(binned, 9);
  });

  it('draws when each lane loaded and served, on one clock for both stages, and what it did', async () => {
    const text = await reportOf('lanes', [{ id: 'phage', length: 500, scores: [0.9] }]);
    const timeline = /<h3>Lanes<\/h3>.*?<\/svg>/s.exec(text)![0];
    for (const lane of ['dnabert-s alpha/cpu:0', 'esm-2 alpha/cpu:0', 'esm-2 beta/cpu:1']) {
      assert.equal(timeline.split(`>${lane}</text>`).length - 1, 1, lane);
    }
    const marks = (colour: string): number => timeline.split(`fill="var(--${colour})"`).length - 1;
    assert.deepEqual([marks('other'), marks('unsure')], [4, 4]);
    assert.equal(timeline.split('var(--virus)').length - 1, 1, 'one was lost');
    const rows = text
      .match(/<tr><td>(?:dnabert-s|esm-2)<\/td>.*?<\/tr>/g)!
      .map((row) => [...row.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, cell]) => cell).join(' '));
    assert.deepEqual(rows, [
      'dnabert-s 1 5 min 15 (3) 1 0.0032 0.029 1 0 0',
      'esm-2 2 30 min 15 (3) 1 0.00055 0.005 3 2 0',
      'dnabert-s alpha/cpu:0 6 600 3.8 35 607 520 MB 50 % 1 0',
      'esm-2 alpha/cpu:0 6 600 0.68 6.1 607 520 MB 50 % 1 0',
      'esm-2 beta/cpu:1 6 600 0.74 6.7 607 520 MB 50 % 2 1',
    ]);
  });

  it('draws the busiest lanes of a fleet, and counts the others', async () => {
    const fleet = Array.from({ length: 300 }, (_, i) => ({
      ...fakeLane(
        'esm-2',
        `node${i}/cpu:0`,
        Array.from({ length: 16 }, (_, j) => ({ from: 60 * j, ready: 60 * j + 5, to: 60 * j + 59 })),
      ),
      batches: i,
    }));
    await writeFakeSample(at('fleet'), 'fleet', [{ id: 'phage', length: 500, scores: [0.9] }], fleet);
    const text = await readFile(await rewriteReports(at('fleet')), 'utf8');
    assert.match(text, /The 24 lanes that did most, of 300; provenance.json has all/);
    assert.match(text, />esm-2 node299\/cpu:0<\/text>/);
    assert.equal(text.includes('node275/'), false);
    assert.ok(text.length < 300_000, `${text.length} characters`);
  });

  it('escapes everything that comes from the input', async () => {
    const scores = Array<number>(6).fill(0.9);
    const text = await reportOf('hostile', [
      { id: HOSTILE, length: 3000, scores, quarantined: [2] },
      { id: `${HOSTILE}2`, length: 1, scores: [undefined] },
    ]);
    assert.equal(text.includes('<script'), false);
    assert.equal(text.includes('alert(&quot;x&quot;)&lt;/script&gt;&amp;amp;&quot;&#39;'), true);
  });

  it('says so when nothing is viral, and when there is nothing at all', async () => {
    const none = await reportOf('none', [{ id: 'host', length: 3000, scores: [0.1, 0.2, 0.1, 0.1, 0.1, 0.1] }]);
    assert.match(none, /<b>0<\/b><span>viral contigs of 1</);
    assert.match(none, /No contig is viral by all its chunks/);
    assert.match(none, /<h3>host </);
    const empty = await reportOf('empty', []);
    assert.match(empty, /The input holds no sequence/);
    assert.match(empty, /No chunk was scored/);
  });

  it('stays light with 100,000 contigs, and says what it leaves out', async () => {
    const random = numbers(3);
    const contigs = Array.from({ length: 100_000 }, (_, i) => ({ id: `k141_${i}`, length: 400, scores: [random()] }));
    contigs.push({ id: 'long', length: 10_000_000, scores: Array.from({ length: 20_000 }, () => 0.6 + random() / 3) });
    const text = await reportOf('many', contigs);
    const { size } = await stat(at('many/report.html'));
    assert.ok(size < 300_000, `${size} bytes`);
    assert.match(text, /The first 50 of 100,001 called contigs/);
    assert.match(text, /The 25 longest of [0-9,]+ regions/);
    assert.match(text, /each mark is the mean of 67 chunks/);
  }).timeout(120_000);

  it('writes the overview of a run, the reports it links to and the MultiQC table', async () => {
    const run = at('run');
    const counts = await writeFakeSample(path.join(run, 'a b'), 'a', fakeMetagenome(10));
    const results: SampleResult[] = [
      { sample: 'a b', status: 'done', counts },
      { sample: HOSTILE.replace('/', '|'), status: 'failed', failure: { type: 'InputError', what: '<i>', next: '' } },
    ];
    await writeFile(path.join(run, 'campaign.tsv'), campaignTable(results));
    assert.equal(await rewriteReports(run), path.join(run, 'report.html'));
    const text = await readFile(path.join(run, 'report.html'), 'utf8');
    assert.match(text, /<a href="\.\/a%20b\/report\.html">a b<\/a>/);
    assert.match(text, /samples done, 1 failed/);
    assert.match(text, /&lt;i&gt;/);
    assert.equal(text.match(/<script/g)?.length, 1);
    assert.ok((await readdir(path.join(run, 'a b'))).includes('report.html'));
    const table = (await readFile(path.join(run, 'virnucpro_mqc.tsv'), 'utf8')).split('\n');
    const from = table.findIndex((line) => line.startsWith('Sample\t'));
    assert.ok(table.slice(0, from).every((line) => line.startsWith('# ')));
    const share = ((100 * counts.contigsViral) / counts.contigs).toFixed(2);
    assert.deepEqual(table[from + 1]!.split('\t').slice(0, 5), [
      ...['a b', 'done', String(counts.contigsViral), share, String(counts.viralRegions)],
    ]);
    assert.equal(table[from + 2]!.split('\t').slice(1).join('|'), 'failed||||||||');
  });

  it('keeps the report of a single sample in a folder that is run and sample', async () => {
    const counts = await writeFakeSample(at('single'), 'single', fakeMetagenome(5));
    await writeFile(at('single/campaign.tsv'), campaignTable([{ sample: 'single', status: 'done', counts }]));
    await rewriteReports(at('single'));
    assert.match(await readFile(at('single/report.html'), 'utf8'), /<h2>Viral regions<\/h2>/);
    assert.ok((await readdir(at('single'))).includes('virnucpro_mqc.tsv'));
  });

  it('refuses a folder that holds no results, results of another version, and names that leave the folder', async () => {
    await mkdir(at('nothing'));
    await assert.rejects(rewriteReports(at('nothing')), InputError);
    await writeFakeSample(at('old'), 'old', []);
    await rm(at('old/contigs.tsv'));
    await assert.rejects(rewriteReports(at('old')), /no such file \(.*contigs\.tsv\)/);
    await mkdir(at('outside'));
    for (const sample of ['../values', '..', '.', '']) {
      await writeFile(at('outside/campaign.tsv'), campaignTable([{ sample, status: 'done' }]));
      await assert.rejects(rewriteReports(at('outside')), /is no sample name/, sample);
    }
  });
});
