import { stat } from 'node:fs/promises';
import { ParquetWriter, type SchemaElement, fileWriter } from 'hyparquet-writer';
import type { Label } from '../scoring/classify.js';
import type { FrameName } from '../sequence/translate.js';
import { sha256OfFile, writeAtomically } from './local-store.js';
import type { ResultFile } from './tables.js';

/** One row of frames.parquet: an open frame of the sample. */
export interface FrameRow {
  id: string;
  contig: string;
  /** Number of its chunk on the contig, from 1. */
  chunk: number;
  /** Bases of the chunk on the contig, 0-based, end excluded. */
  chunkStart: number;
  chunkEnd: number;
  name: FrameName;
  /** Missing for a frame that was quarantined. */
  scored?: { pVirus: number; pOther: number; label: Label };
  /** Stage and reason, e.g. `esm-2: non_finite`. */
  quarantined?: string;
}

/** Rows encoded at once: some 0.1 s in which nothing else runs. Fixed, so that a file does not depend on batches. */
const ROW_GROUP = 10_000;

const STRING = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;

/** Columns in their order; a contig may be longer than an int32 counts. */
const COLUMNS: readonly (SchemaElement & { value: (row: FrameRow) => unknown })[] = [
  { ...required('sequence_id'), ...STRING, value: (row) => row.id },
  { ...required('contig'), ...STRING, value: (row) => row.contig },
  { ...required('chunk'), type: 'INT32', value: (row) => row.chunk },
  { ...required('chunk_start'), type: 'INT64', value: (row) => BigInt(row.chunkStart) },
  { ...required('chunk_end'), type: 'INT64', value: (row) => BigInt(row.chunkEnd) },
  { ...required('strand'), ...STRING, value: (row) => (row.name.startsWith('F') ? '+' : '-') },
  { ...required('frame'), type: 'INT32', value: (row) => Number(row.name[1]) },
  { ...optional('p_virus'), type: 'FLOAT', value: (row) => row.scored?.pVirus },
  { ...optional('p_other'), type: 'FLOAT', value: (row) => row.scored?.pOther },
  { ...optional('label'), ...STRING, value: (row) => row.scored?.label },
  { ...optional('quarantined'), ...STRING, value: (row) => row.quarantined },
];

function required(name: string): SchemaElement {
  return { name, repetition_type: 'REQUIRED' };
}

function optional(name: string): SchemaElement {
  return { name, repetition_type: 'OPTIONAL' };
}

/**
 * Writes frames.parquet row by row, atomically: `fill` is given a function that takes the rows in their order. Memory holds
 * one row group.
 * @throws StorageError when the disk refuses; whatever `fill` throws, and then no file appears.
 */
export async function writeFrameTable<T>(
  file: string,
  fill: (add: (row: FrameRow) => void) => Promise<T>,
): Promise<{ file: ResultFile; result: T }> {
  return writeAtomically(file, async (temporary) => {
    const table = new FrameTable(temporary);
    const result = await fill((row) => table.add(row));
    table.finish();
    const { size } = await stat(temporary);
    return { file: { path: file, bytes: size, sha256: await sha256OfFile(temporary) }, result };
  });
}

class FrameTable {
  private readonly writer: ParquetWriter;
  private rows: FrameRow[] = [];

  constructor(file: string) {
    const elements = COLUMNS.map(({ value: _value, ...element }) => element);
    this.writer = new ParquetWriter({
      writer: fileWriter(file),
      schema: [{ name: 'root', num_children: elements.length }, ...elements],
      createdBy: 'virnucpro-temporal',
      kvMetadata: [{ key: 'coordinates', value: 'chunk_start and chunk_end are 0-based, chunk_end is excluded' }],
    });
  }

  add(row: FrameRow): void {
    this.rows.push(row);
    if (this.rows.length === ROW_GROUP) this.flush();
  }

  finish(): void {
    if (this.rows.length > 0) this.flush();
    void this.writer.finish();
  }

  private flush(): void {
    const columnData = COLUMNS.map(({ name, value }) => ({ name, data: this.rows.map(value) }));
    void this.writer.write({ columnData, rowGroupSize: ROW_GROUP });
    this.rows = [];
  }
}
