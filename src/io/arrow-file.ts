import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import {
  type Data,
  Field,
  FixedSizeList,
  Float32,
  RecordBatch,
  type RecordBatchFileReader,
  RecordBatchReader,
  Schema,
  Struct,
  Table,
  Uint32,
  Utf8,
  makeData,
  tableToIPC,
} from 'apache-arrow';
import { ArtifactInvalid } from '../contract/failures.js';
import { toStorageError } from './local-store.js';

/** A column to write: strings, numbers, or `width` floats a row over one contiguous array. */
export type ArrowColumn = string[] | Uint32Array | Float32Array | { values: Float32Array; width: number };

/** Key-value pairs in the file's header. `kind` says what it is, `made_by` is the digest of what made it. */
export type ArrowHeader = { kind: string; made_by: string } & Record<string, string>;

/** What {@link readArrowFile} gives back; `columns` are views on the file's bytes. */
export interface ArrowFile {
  header: ArrowHeader;
  rows: number;
  strings(name: string): string[];
  uint32(name: string): Uint32Array;
  float32(name: string): Float32Array;
  /** Row-major floats of a fixed-size list column, and how many a row has. */
  vectors(name: string): { values: Float32Array; width: number };
}

/**
 * Writes an Arrow IPC file whose header carries `header` and `content_sha256`, a digest over all columns, so that a
 * reader can tell that the file is whole and what it was made from. The bytes are a pure function of the arguments.
 */
export async function writeArrowFile(
  file: string,
  header: ArrowHeader,
  columns: Record<string, ArrowColumn>,
): Promise<number> {
  const data = Object.values(columns).map(toData);
  const fields = Object.keys(columns).map((name, i) => new Field(name, data[i]!.type, false));
  const length = data[0]?.length ?? 0;
  const metadata = new Map(Object.entries({ ...header, content_sha256: digest(Object.keys(columns), data) }));
  const schema = new Schema(fields, metadata);
  const batch = new RecordBatch(schema, makeData({ type: new Struct(fields), length, nullCount: 0, children: data }));
  await writeFile(file, tableToIPC(new Table(schema, batch), 'file'));
  return length;
}

/**
 * The header of an Arrow file, without a look at what it holds; of other programs' files whatever they put there.
 * @throws ArtifactInvalid when it is no readable Arrow file.
 */
export async function readArrowHeader(file: string): Promise<Partial<ArrowHeader>> {
  return Object.fromEntries((await openArrow(file)).schema.metadata);
}

/**
 * Reads a file of {@link writeArrowFile}.
 * @throws ArtifactInvalid when it is no such file, is of another kind or origin, or its content digest differs.
 */
export async function readArrowFile(file: string, expected: { kind: string; madeBy?: string }): Promise<ArrowFile> {
  const invalid = (what: string): ArtifactInvalid => invalidFile(what, file);
  const table = toTable(await openArrow(file), file);
  const header = Object.fromEntries(table.schema.metadata) as ArrowHeader;
  if (header.kind !== expected.kind) throw invalid(`artifact is of kind ${header.kind}, expected ${expected.kind}`);
  if (expected.madeBy !== undefined && header.made_by !== expected.madeBy) {
    throw invalid(`artifact was made by ${header.made_by}, expected ${expected.madeBy}`);
  }
  const names = table.schema.fields.map((field) => field.name);
  const batch = table.batches[0];
  const data = batch === undefined ? [] : batch.data.children;
  const found = digestIfWhole(names, data);
  if (found === undefined || found !== header['content_sha256']) {
    throw invalid('artifact content differs from its digest');
  }
  const column = (name: string): Data | undefined => {
    if (!names.includes(name)) throw invalid(`artifact has no column ${name}`);
    return data[names.indexOf(name)];
  };
  return {
    header,
    rows: table.numRows,
    strings: (name) => [...(table.getChild(name) ?? [])] as string[],
    uint32: (name) => exactValues(column(name)) as Uint32Array,
    float32: (name) => exactValues(column(name)) as Float32Array,
    vectors: (name) => {
      const list = column(name);
      const width = (table.schema.fields[names.indexOf(name)]!.type as FixedSizeList).listSize;
      return { values: exactValues(list?.children[0], (list?.length ?? 0) * width) as Float32Array, width };
    },
  };
}

async function openArrow(file: string): Promise<RecordBatchFileReader> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw toStorageError(error, file);
  });
  try {
    const reader = RecordBatchReader.from(bytes).open();
    if (reader.isFile() && reader.schema !== undefined) return reader;
  } catch (error) {
    throw invalidFile('not a readable Arrow file', file, error);
  }
  throw invalidFile('not an Arrow IPC file', file);
}

/** The one batch that a file of ours has. Not `tableFromIPC`: on a file whose batch is no batch that never ends. */
function toTable(reader: RecordBatchFileReader, file: string): Table {
  if (reader.numRecordBatches > 1) throw invalidFile('artifact content differs from its digest', file);
  try {
    const batch = reader.readRecordBatch(0);
    return new Table(reader.schema, batch === null ? [] : [batch]);
  } catch (error) {
    throw invalidFile('not a readable Arrow file', file, error);
  }
}

function invalidFile(what: string, where: string, cause?: unknown): ArtifactInvalid {
  return new ArtifactInvalid({ what, where, next: 'It will be made again', cause });
}

function toData(column: ArrowColumn): Data {
  if (Array.isArray(column)) return toUtf8(column);
  if (column instanceof Uint32Array) return makeData({ type: new Uint32(), data: column, nullCount: 0 });
  if (column instanceof Float32Array) return makeData({ type: new Float32(), data: column, nullCount: 0 });
  const { values, width } = column;
  const child = makeData({ type: new Float32(), data: values, nullCount: 0 });
  const type = new FixedSizeList(width, new Field('item', new Float32(), false));
  return makeData({ type, length: width === 0 ? 0 : values.length / width, nullCount: 0, child });
}

function toUtf8(strings: string[]): Data {
  const valueOffsets = new Int32Array(strings.length + 1);
  strings.forEach((text, i) => (valueOffsets[i + 1] = valueOffsets[i]! + Buffer.byteLength(text)));
  const data = Buffer.alloc(valueOffsets.at(-1)!);
  strings.forEach((text, i) => data.write(text, valueOffsets[i]!));
  return makeData({ type: new Utf8(), length: strings.length, nullCount: 0, valueOffsets, data });
}

/** Digest over names, types and the exact bytes of every column, without Arrow's padding. */
function digest(names: string[], data: readonly Data[]): string {
  const hash = createHash('sha256');
  data.forEach((column, i) => {
    hash.update(`${names[i]}:${column.type}:${column.length};`);
    const leaf = column.children[0] ?? column;
    const values = exactValues(leaf);
    if (leaf.valueOffsets) hash.update(bytesOf(leaf.valueOffsets.subarray(0, leaf.length + 1)));
    hash.update(bytesOf(values));
  });
  return hash.digest('hex');
}

/** Undefined when columns are not what their types promise, as in a damaged file. */
function digestIfWhole(names: string[], data: readonly Data[]): string | undefined {
  try {
    return digest(names, data);
  } catch {
    return undefined;
  }
}

function exactValues(data: Data | undefined, length?: number): Uint32Array | Float32Array | Uint8Array {
  if (data === undefined) return new Float32Array();
  const end = data.valueOffsets ? (data.valueOffsets as Int32Array)[data.length]! : (length ?? data.length);
  return (data.values as Uint8Array).subarray(0, end);
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
