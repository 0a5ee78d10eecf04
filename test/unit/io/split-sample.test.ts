import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError, OptionError } from '../../../src/contract/failures.js';
import { readContigs } from '../../../src/io/contigs-file.js';
import { readFrames } from '../../../src/io/frames-file.js';
import { LocalStore } from '../../../src/io/local-store.js';
import { splitSample, type SplitSampleInput, type SplitSampleOutput } from '../../../src/io/split-sample.js';
import { goldenCases } from '../../support/golden.js';

describe('io/split-sample', () => {
  let dir: string;
  let store: LocalStore;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vnp-sample-'));
    store = new LocalStore(path.join(dir, 'store'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const edge = goldenCases[0]!;
  const split = (options: Partial<SplitSampleInput> = {}): Promise<SplitSampleOutput> =>
    splitSample({ input: `${edge.dir}/input.fa`, chunkSize: 500, store, prefix: '', ...options });

  /** All frames of a split as the original's two FASTA files. */
  async function asFasta({ batches }: SplitSampleOutput): Promise<{ nucleotide: string; protein: string }> {
    const text = { nucleotide: '', protein: '' };
    for (const batch of batches) {
      const { ids, nucleotides, proteins } = await readFrames(await store.get(batch));
      assert.equal(batch.records, ids.length);
      ids.forEach((id, i) => {
        text.nucleotide += `>${id}\n${nucleotides[i]}\n`;
        text.protein += `>${id}\n${proteins[i]}\n`;
      });
    }
    return text;
  }

  for (const { name, dir: folder, chunkSize } of goldenCases) {
    it(`gives the original's frames for ${name}, in batches of any size`, async () => {
      for (const batchSequences of [undefined, 1, 7]) {
        const input = `${folder}/input.fa`;
        const prefix = `${batchSequences}/`;
        const task = { input, chunkSize, prefix, ...(batchSequences === undefined ? {} : { batchSequences }) };
        const output = await split(task);
        assert.deepEqual(await asFasta(output), {
          nucleotide: await readFile(`${folder}/identified_nucleotide.fa`, 'latin1'),
          protein: await readFile(`${folder}/identified_protein.faa`, 'latin1'),
        });
        assert.equal(output.batchSequences, batchSequences ?? 200);
        assert.equal(output.batches.length, Math.ceil(output.frames / output.batchSequences));
        for (const batch of output.batches.slice(0, -1)) assert.equal(batch.records, output.batchSequences);
      }
    });
  }

  it('gives every contig one row whose counts add up', async () => {
    const input = path.join(dir, 'odd.fa');
    await writeFile(input, '>none\n>two\nAC\n>stops\nTAATTAATTAAC\n>n\nNNNN\n>open\nATGAAATGAAATG\n');
    const output = await split({ input, chunkSize: 6 });
    const rows = await readContigs(await store.get(output.contigs));
    assert.deepEqual(
      rows.map(({ id, length, chunks, reason }) => [id, length, chunks, reason]),
      [
        ['none', 0, 0, 'empty'],
        ['two', 2, 1, 'too_short'],
        ['stops', 12, 2, ''],
        ['n', 4, 1, 'no_open_frame'],
        ['open', 13, 3, ''],
      ],
    );
    const sum = (key: 'length' | 'chunks' | 'chunksNoOpenFrame' | 'frames'): number =>
      rows.reduce((total, row) => total + row[key], 0);
    assert.deepEqual(
      [sum('length'), sum('chunks'), sum('chunksNoOpenFrame'), sum('frames'), rows.length],
      [output.bases, output.chunks, output.chunksNoOpenFrame, output.frames, output.records],
    );
    const { ids } = await readFrames(await store.get(output.batches[0]!));
    const chunksWithFrames = new Set(ids.map((id) => id.slice(0, -2))).size;
    assert.equal(output.chunks, chunksWithFrames + output.chunksNoOpenFrame);
  });

  it('succeeds on an empty input', async () => {
    const input = path.join(dir, 'empty.fa');
    await writeFile(input, '');
    const output = await split({ input });
    assert.deepEqual([output.records, output.frames, output.batches], [0, 0, []]);
    assert.deepEqual(await readContigs(await store.get(output.contigs)), []);
  });

  it('uses what is there and whole, and makes the rest again to the same bytes', async () => {
    const first = await split({ batchSequences: 10, prefix: 's/' });
    const folder = path.join(store.root, 's/frames');
    assert.deepEqual((await readdir(folder)).sort().slice(0, 2), ['batch-00001.arrow', 'batch-00002.arrow']);
    const written = async (): Promise<bigint[]> =>
      Promise.all(first.batches.map(async ({ uri }) => (await stat(fileURLToPath(uri), { bigint: true })).mtimeNs));
    const before = await written();

    assert.deepEqual(await split({ batchSequences: 10, prefix: 's/' }), first);
    assert.deepEqual(await written(), before);

    await rm(path.join(folder, 'batch-00002.arrow'));
    await writeFile(path.join(folder, 'batch-00003.arrow'), 'torn');
    await copyFile(path.join(folder, 'batch-00001.arrow'), path.join(folder, 'batch-00004.arrow'));
    assert.deepEqual(await split({ batchSequences: 10, prefix: 's/' }), first);
    const after = await written();
    assert.deepEqual(
      before.map((time, i) => (time === after[i] ? 'kept' : 'made')),
      ['kept', 'made', 'made', 'made', 'kept', 'kept'],
    );

    const other = await split({ batchSequences: 10, chunkSize: 300, prefix: 's/' });
    assert.notDeepEqual(other.batches[0]!.sha256, first.batches[0]!.sha256);
  });

  it('renames repeated ids when asked to; another artifact than without, which refuses them', async () => {
    const input = path.join(dir, 'twice.fa');
    await writeFile(input, '>a\nATGAAATGAAATG\n>a\nATGAAA\n');
    const output = await split({ input, chunkSize: 20, renameDuplicates: true });
    const rows = await readContigs(await store.get(output.contigs));
    assert.deepEqual(
      rows.map(({ id, length }) => [id, length]),
      [
        ['a', 13],
        ['a_2', 6],
      ],
    );
    const { ids } = await readFrames(await store.get(output.batches[0]!));
    assert.deepEqual([...new Set(ids.map((id) => id.slice(0, -2)))], ['a_chunk_1', 'a_2_chunk_1']);
    await assert.rejects(split({ input, chunkSize: 20 }), InputError);
  });

  it('writes nothing for a bad input', async () => {
    const input = path.join(dir, 'bad.fa');
    await writeFile(input, `>a\n${'ATGAAA'.repeat(200)}\n>a\nACGT\n`);
    await assert.rejects(split({ input, batchSequences: 1 }), InputError);
    await assert.rejects(split({ input: dir }), /a folder/);
    await assert.rejects(split({ input: path.join(dir, 'none.fa') }), /no such file/);
    await assert.rejects(split({ batchSequences: 0 }), OptionError);
    await assert.rejects(split({ chunkSize: 1 }), OptionError);
    await assert.rejects(readdir(store.root), { code: 'ENOENT' });
  });

  it('reports progress up to the end, and stops when it is aborted', async () => {
    const seen: number[] = [];
    await split({ onProgress: ({ bytes, totalBytes }) => seen.push(bytes / totalBytes) });
    assert.equal(seen.at(-1), 1);
    assert.deepEqual(seen, [...seen].sort());
    const controller = new AbortController();
    controller.abort(new Error('cancelled'));
    await assert.rejects(split({ prefix: 'x/', signal: controller.signal }), /cancelled/);
  });
});
