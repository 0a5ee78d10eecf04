import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { type FrameRow, writeFrameTable } from '../../../src/io/frames-table.js';

const scored = { pVirus: Math.fround(0.9), pOther: Math.fround(0.1), label: 'virus' } as const;

function row(i: number): FrameRow {
  const contig = `c${i >> 3}`;
  const place = { chunk: 1, chunkStart: 0, chunkEnd: 500 };
  return { id: `${contig}_chunk_1F1`, contig, ...place, name: 'F1', scored };
}

describe('io/frames-table', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-frames-table-'))));
  after(() => rm(dir, { recursive: true }));

  const write = (name: string, rows: FrameRow[]) =>
    writeFrameTable(path.join(dir, name), async (add) => rows.forEach((each) => add(each)));

  it('holds every column of a frame, scored or quarantined, beyond 32 bits and beyond ASCII', async () => {
    const far = { chunk: 9_000_000, chunkStart: 4_294_966_000, chunkEnd: 4_294_966_500 };
    const { file } = await write('some.parquet', [
      { id: 'ü|"x"_chunk_9000000R2', contig: 'ü|"x"', ...far, name: 'R2', scored },
      {
        id: 'q_chunk_1F3',
        contig: 'q',
        chunk: 1,
        chunkStart: 0,
        chunkEnd: 7,
        name: 'F3',
        quarantined: 'esm-2: non_finite',
      },
    ]);
    assert.deepEqual(await parquetReadObjects({ file: await asyncBufferFromFile(file.path) }), [
      {
        sequence_id: 'ü|"x"_chunk_9000000R2',
        contig: 'ü|"x"',
        chunk: 9_000_000,
        chunk_start: 4_294_966_000n,
        chunk_end: 4_294_966_500n,
        strand: '-',
        frame: 2,
        p_virus: Math.fround(0.9),
        p_other: Math.fround(0.1),
        label: 'virus',
        quarantined: null,
      },
      {
        sequence_id: 'q_chunk_1F3',
        contig: 'q',
        chunk: 1,
        chunk_start: 0n,
        chunk_end: 7n,
        strand: '+',
        frame: 3,
        p_virus: null,
        p_other: null,
        label: null,
        quarantined: 'esm-2: non_finite',
      },
    ]);
  });

  it('is a file without rows when there is no frame', async () => {
    const { file } = await write('empty.parquet', []);
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(file.path));
    assert.deepEqual([metadata.num_rows, metadata.schema.length], [0n, 12]);
  });

  it('streams many rows in row groups, and says size and digest', async () => {
    const rows = Array.from({ length: 25_001 }, (_, i) => row(i));
    const { file } = await write('many.parquet', rows);
    const bytes = await readFile(file.path);
    assert.deepEqual([file.bytes, file.sha256], [bytes.length, createHash('sha256').update(bytes).digest('hex')]);
    const buffer = await asyncBufferFromFile(file.path);
    const { row_groups } = await parquetMetadataAsync(buffer);
    assert.deepEqual(
      row_groups.map(({ num_rows }) => num_rows),
      [10_000n, 10_000n, 5_001n],
    );
    const last = await parquetReadObjects({ file: buffer, columns: ['contig'], rowStart: 25_000 });
    assert.deepEqual(last, [{ contig: 'c3125' }]);
  });

  it('leaves nothing behind when its rows break off', async () => {
    const folder = path.join(dir, 'broken');
    await assert.rejects(
      writeFrameTable(path.join(folder, 'frames.parquet'), async (add) => {
        add(row(1));
        throw new Error('broken off');
      }),
      /broken off/,
    );
    assert.deepEqual(await readdir(folder), []);
  });
});
