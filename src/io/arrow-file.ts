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

/** Begins the seal; the digest follows. Together a multiple of 8 bytes, as Arrow's parts are. */
const SEAL_MAGIC = Buffer.from('VNP-SHA2');
const DIGEST_BYTES = 32;
/** An Arrow file ends with its footer, the footer's length in 4 bytes, and this. */
const ARROW_MAGIC = Buffer.from('ARROW1');
const TAIL_BYTES = 4 + ARROW_MAGIC.length;

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
 * Writes an Arrow IPC file whose header carries `header`, so that a reader can tell what it was made from, with a seal by
 * which it can tell that the file is whole. The bytes are a pure function of the arguments.
 */
export async function writeArrowFile(
  file: string,
  header: ArrowHeader,
  columns: Record<string, ArrowColumn>,
): Promise<number> {
  const data = Object.values(columns).map(toData);
  const fields = Object.keys(columns).map((name, i) => new Field(name, data[i]!.type, false));
  const length = data[0]?.length ?? 0;
  const schema = new Schema(fields, new Map(Object.entries(header)));
  const batch = new RecordBatch(schema, makeData({ type: new Struct(fields), length, nullCount: 0, children: data }));
  await writeFile(file, sealed(tableToIPC(new Table(schema, batch), 'file')));
  return length;
}

/**
 * Whether an Arrow file has no seal: another program's, or an earlier version's.
 * @throws StorageError when it cannot be read.
 */
export async function isForeignArrowFile(file: string): Promise<boolean> {
  return sealOf(await readBytes(file)) === 'none';
}

/**
 * Reads a file of {@link writeArrowFile}.
 * @throws ArtifactInvalid when it is no such file, is not whole, or is of another kind or origin.
 */
export async function readArrowFile(
  file: string,
  expected: { kind?: string; madeBy?: string } = {},
): Promise<ArrowFile> {
  const invalid = (what: string): ArtifactInvalid => invalidFile(what, file);
  const table = toTable(await openArrow(file), file);
  const header = Object.fromEntries(table.schema.metadata) as ArrowHeader;
  if (expected.kind !== undefined && header.kind !== expected.kind) {
    throw invalid(`artifact is of kind ${header.kind}, expected ${expected.kind}`);
  }
  if (expected.madeBy !== undefined && header.made_by !== expected.madeBy) {
    throw invalid(`artifact was made by ${header.made_by}, expected ${expected.madeBy}`);
  }
  const names = table.schema.fields.map((field) => field.name);
  const batch = table.batches[0];
  const data = batch === undefined ? [] : batch.data.children;
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

/** Nothing is parsed before the seal is checked: on some damaged footers apache-arrow counts for minutes. */
async function openArrow(file: string): Promise<RecordBatchFileReader> {
  const bytes = await readBytes(file);
  const seal = sealOf(bytes);
  if (seal === 'broken') throw invalidFile('artifact content differs from its digest', file);
  if (seal === 'none') throw invalidFile('artifact of another program, or of an earlier version', file);
  try {
    const reader = RecordBatchReader.from(bytes).open();
    if (reader.isFile() && reader.schema !== undefined) return reader;
  } catch (error) {
    throw invalidFile('not a readable Arrow file', file, error);
  }
  throw invalidFile('not an Arrow IPC file', file);
}

/** The one batch that a file of ours has. */
function toTable(reader: RecordBatchFileReader, file: string): Table {
  try {
    const batch = reader.readRecordBatch(0);
    return new Table(reader.schema, batch === null ? [] : [batch]);
  } catch (error) {
    throw invalidFile('not a readable Arrow file', file, error);
  }
}

async function readBytes(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw toStorageError(error, file);
  });
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

/**
 * The file, in pieces, with the seal in front of its footer, where Arrow readers, who find everything by the footer's
 * offsets, do not look: {@link SEAL_MAGIC} and the SHA-256 of all other bytes.
 */
function sealed(file: Uint8Array): Uint8Array[] {
  const at = footerStart(file);
  const digest = createHash('sha256').update(file).digest();
  return [file.subarray(0, at), SEAL_MAGIC, digest, file.subarray(at)];
}

/** How a file's seal is; `broken` also where the file does not end as Arrow's do. */
function sealOf(file: Buffer): 'whole' | 'broken' | 'none' {
  if (file.length < TAIL_BYTES || !file.subarray(-ARROW_MAGIC.length).equals(ARROW_MAGIC)) return 'broken';
  // A damaged length leads anywhere.
  const footer = Math.min(Math.max(footerStart(file), 0), file.length);
  const digest = Math.max(footer - DIGEST_BYTES, 0);
  const at = Math.max(digest - SEAL_MAGIC.length, 0);
  if (!file.subarray(at, digest).equals(SEAL_MAGIC)) return 'none';
  const found = createHash('sha256').update(file.subarray(0, at)).update(file.subarray(footer)).digest();
  return found.equals(file.subarray(digest, footer)) ? 'whole' : 'broken';
}

function footerStart(file: Uint8Array): number {
  const length = Buffer.from(file.buffer, file.byteOffset, file.length).readInt32LE(file.length - TAIL_BYTES);
  return file.length - TAIL_BYTES - length;
}

function exactValues(data: Data | undefined, length?: number): Uint32Array | Float32Array | Uint8Array {
  if (data === undefined) return new Float32Array();
  const end = data.valueOffsets ? (data.valueOffsets as Int32Array)[data.length]! : (length ?? data.length);
  return (data.values as Uint8Array).subarray(0, end);
}
