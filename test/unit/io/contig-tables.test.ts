import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeBed, writeContigTable, writeGff3 } from '../../../src/io/contig-tables.js';
import { callContig } from '../../../src/scoring/contig-call.js';

const region = { contig: 'a;b=c%,ü', start: 500, end: 1200, chunksViral: 2, chunksCalled: 3, meanPVirus: 0.70315 };

describe('io/contig-tables', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-contig-tables-'))));
  after(() => rm(dir, { recursive: true }));
  const written = (file: { path: string }): Promise<string> => readFile(file.path, 'utf8');

  it('writes a row a contig, those that were not called with their reason and without numbers', async () => {
    const chunk = { number: 1, pVirus: 0.9375, pOther: 0.0625, isVirus: true };
    const file = await writeContigTable(path.join(dir, 'contigs.tsv'), [
      { contig: 'v', length: 1700, reason: '', verdict: callContig([chunk]), regions: [region] },
      { contig: 'none', length: 2, reason: 'too_short', verdict: callContig([]), regions: [] },
    ]);
    const [header, ...rows] = (await written(file)).trimEnd().split('\n');
    assert.equal(
      header,
      'ID length call tier reason weighted_delta max_p_virus max_p_other n_chunks n_viral n_confident_viral n_confident_nonviral n_ambiguous viral_proportion nonviral_proportion n_viral_regions viral_region_bases'.replaceAll(
        ' ',
        '\t',
      ),
    );
    assert.deepEqual(
      rows.map((row) => row.replaceAll('\t', ' ')),
      [
        'v 1700 Viral low_confidence  0.875 0.9375 0.0625 1 1 1 0 0 1.000 0.000 1 700',
        'none 2 Unclassified  too_short    0 0 0 0 0   0 0',
      ],
    );
  });

  it('writes regions as BED, ids as they are', async () => {
    const file = await writeBed(path.join(dir, 'r.bed'), [region, { ...region, start: 0, end: 3, meanPVirus: 1 }]);
    assert.equal(
      await written(file),
      'a;b=c%,ü\t500\t1200\tviral_region_1\t703\t.\na;b=c%,ü\t0\t3\tviral_region_2\t1000\t.\n',
    );
  });

  it('writes regions as GFF3, from 1, ids encoded, contigs announced once', async () => {
    const file = await writeGff3(
      path.join(dir, 'r.gff3'),
      [region, { ...region, start: 2000, end: 2500 }, { ...region, contig: '>x|1.2' }],
      () => 9999,
    );
    const attributes = 'chunks_viral=2;chunks_called=3';
    assert.equal(
      await written(file),
      [
        '##gff-version 3',
        '##sequence-region a%3Bb%3Dc%25%2C%C3%BC 1 9999',
        `a%3Bb%3Dc%25%2C%C3%BC\tvirnucpro\tviral_sequence\t501\t1200\t0.7032\t.\t.\tID=viral_region_1;${attributes}`,
        `a%3Bb%3Dc%25%2C%C3%BC\tvirnucpro\tviral_sequence\t2001\t2500\t0.7032\t.\t.\tID=viral_region_2;${attributes}`,
        '##sequence-region %3Ex|1.2 1 9999',
        `%3Ex|1.2\tvirnucpro\tviral_sequence\t501\t1200\t0.7032\t.\t.\tID=viral_region_3;${attributes}`,
        '',
      ].join('\n'),
    );
  });

  it('is empty, or its header alone, when there is no region', async () => {
    assert.equal(await written(await writeBed(path.join(dir, 'empty.bed'), [])), '');
    assert.equal(await written(await writeGff3(path.join(dir, 'empty.gff3'), [], () => 0)), '##gff-version 3\n');
  });
});
