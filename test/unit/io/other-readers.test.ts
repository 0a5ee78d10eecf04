import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeBed, writeContigTable, writeGff3 } from '../../../src/io/contig-tables.js';
import { type FrameRow, writeFrameTable } from '../../../src/io/frames-table.js';
import { sha256OfFile } from '../../../src/io/local-store.js';
import { writeViralFastas } from '../../../src/io/viral-fasta.js';
import { callContig } from '../../../src/scoring/contig-call.js';
import { hasCommand, python, pythonHas, run } from '../../support/other-readers.js';

/** What programs of others make of our tables. */
describe('io/other-readers', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-other-readers-'))));
  after(() => rm(dir, { recursive: true }));
  const at = (name: string): string => path.join(dir, name);

  const withPandas = pythonHas('pandas', 'pyarrow') ? it : it.skip;
  const withBedtools = hasCommand('bedtools') ? it : it.skip;

  withPandas('pandas and pyarrow read frames.parquet (needs them)', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i): FrameRow => {
      const place = { chunk: i + 1, chunkStart: i * 500, chunkEnd: i * 500 + 500 };
      const pVirus = Math.fround((i % 1000) / 1000);
      const label = pVirus > 0.5 ? 'virus' : 'others';
      const scored = { pVirus, pOther: Math.fround(1 - pVirus), label } as const;
      const id = `ü|"x"_chunk_${i + 1}R2`;
      return {
        id,
        contig: 'ü|"x"',
        ...place,
        name: 'R2',
        ...(i === 7 ? { quarantined: 'esm-2: crashes' } : { scored }),
      };
    });
    await writeFrameTable(at('frames.parquet'), async (add) => rows.forEach(add));
    const found = python(
      `
import json, sys, pandas, pyarrow.parquet
f = pandas.read_parquet(sys.argv[1])
s = pyarrow.parquet.read_schema(sys.argv[1])
print(json.dumps([len(f), {n: str(s.field(n).type) for n in s.names}, {k: v for k, v in f.iloc[59999].to_dict().items() if k != 'quarantined'},
  f[f.label.isna()].quarantined.tolist(), int((f.label == 'virus').sum()), float(f.p_virus.max())], default=lambda x: x.item()))`,
      at('frames.parquet'),
    );
    assert.deepEqual(found, [
      60_000,
      {
        sequence_id: 'string',
        contig: 'string',
        chunk: 'int32',
        chunk_start: 'int64',
        chunk_end: 'int64',
        strand: 'string',
        frame: 'int32',
        p_virus: 'float',
        p_other: 'float',
        label: 'string',
        quarantined: 'string',
      },
      {
        ...{ sequence_id: 'ü|"x"_chunk_60000R2', contig: 'ü|"x"', chunk: 60_000, strand: '-', frame: 2 },
        ...{ chunk_start: 29_999_500, chunk_end: 30_000_000, label: 'virus' },
        ...{ p_virus: Math.fround(0.999), p_other: Math.fround(1 - Math.fround(0.999)) },
      },
      ['esm-2: crashes'],
      60 * 499,
      Math.fround(0.999),
    ]);
  });

  withPandas('pandas reads contigs.tsv (needs it)', async () => {
    const chunk = { number: 1, pVirus: 0.9375, pOther: 0.0625, isVirus: true };
    await writeContigTable(at('contigs.tsv'), [
      { contig: 'v', length: 1700, reason: '', verdict: callContig([chunk]), regions: [] },
      { contig: 'NA12', length: 2, reason: 'too_short', verdict: callContig([]), regions: [] },
    ]);
    const found = python(
      `
import json, sys, pandas
f = pandas.read_csv(sys.argv[1], sep='\\t')
print(f[['ID', 'length', 'call', 'weighted_delta', 'n_chunks', 'reason']].to_json(orient='values'))`,
      at('contigs.tsv'),
    );
    assert.deepEqual(found, [
      ['v', 1700, 'Viral', 0.875, 1, null],
      ['NA12', 2, 'Unclassified', null, 0, 'too_short'],
    ]);
  });

  withBedtools('bedtools reads the regions, and both files are the same places (needs it)', async () => {
    const region = { chunksViral: 2, chunksCalled: 3, meanPVirus: 0.7 };
    const regions = [
      { contig: 'a|1.2', start: 0, end: 6, ...region },
      { contig: 'a|1.2', start: 8, end: 10, ...region },
      { contig: 'b', start: 2, end: 5, ...region },
    ];
    await writeBed(at('r.bed'), regions);
    await writeGff3(at('r.gff3'), regions, () => 10);
    await writeFile(at('contigs.fa'), '>a|1.2\nAACCGGTTAC\n>b\nTTACGTT\n');
    const sequences = (file: string): string =>
      run('bedtools', ['getfasta', '-fi', at('contigs.fa'), '-bed', at(file)]);
    assert.equal(sequences('r.bed'), '>a|1.2:0-6\nAACCGG\n>a|1.2:8-10\nAC\n>b:2-5\nACG\n');
    const pieces = new Map(
      regions.map(({ contig }) => [
        contig,
        regions
          .filter((one) => one.contig === contig)
          .map(({ start, end }) => ({ header: `${contig}:${start}-${end}`, start, end })),
      ]),
    );
    const input = { path: at('contigs.fa'), sha256: await sha256OfFile(at('contigs.fa')) };
    await writeViralFastas([{ file: at('r.fa'), pieces }], input);
    assert.equal(
      await readFile(at('r.fa'), 'utf8'),
      sequences('r.bed'),
      'viral_regions.fa is what bedtools makes of the BED',
    );
    assert.equal(sequences('r.gff3').replace(/^>.*$/gm, ''), sequences('r.bed').replace(/^>.*$/gm, ''));
    assert.equal(run('bedtools', ['merge', '-i', at('r.bed')]), 'a|1.2\t0\t6\na|1.2\t8\t10\nb\t2\t5\n');
  });
});
