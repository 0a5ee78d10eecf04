import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { ModelError } from '../../../../src/contract/failures.js';
import type { Checkpoint, TensorEntry } from '../../../../src/model/checkpoint/types.js';

export const MODELS = 'test/fixtures/golden/models';

/** A folder for the files of one test file; removed by the function that `after` gets. */
export async function scratch(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'virnucpro-checkpoint-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

let files = 0;

/** Writes `bytes` to a new file in `folder`. */
export async function put(folder: string, bytes: Uint8Array | string, name = `file-${files++}`): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, bytes);
  return file;
}

/** Asserts that `promise` fails with one complete ModelError that matches. */
export async function refuses(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert(error instanceof ModelError, `expected a ModelError, got ${String((error as Error)?.stack ?? error)}`);
    assert.match(error.message, pattern);
    assert(error.what && error.next);
    return true;
  });
}

/** Name, type, shape and the very bytes of every tensor, by name. */
export async function contents(checkpoint: Checkpoint): Promise<Record<string, string>> {
  const bytes = new Map<string, Buffer>();
  for (const file of checkpoint.files) bytes.set(file, await readFile(file));
  const describe = ({ file, offset, bytes: length, dtype, shape }: TensorEntry): string =>
    `${dtype} ${shape.join('x')} ${bytes.get(file)!.toString('base64', offset, offset + length)}`;
  return Object.fromEntries([...checkpoint.tensors.values()].map((entry) => [entry.name, describe(entry)]).sort());
}

/** A small seeded generator (mulberry32): whole numbers from 0 to below `limit`. */
export function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** `bytes` with one bit of byte `at` turned. */
export function flip(bytes: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1 << bit;
  return copy;
}

export interface RecordOptions {
  name: string;
  data: Uint8Array;
  method?: number;
  flags?: number;
  crc32?: number;
  /** What the local header calls the record. */
  localName?: string;
  /** The local header's offset in the directory. */
  header?: number;
  bytes?: number;
}

export interface ZipOptions {
  zip64?: boolean;
  /** Fields of the end of the directory that lie. */
  end?: { records?: number; bytes?: number; offset?: number };
  end64?: { records?: bigint; bytes?: bigint; offset?: bigint };
}

/** A zip file, assembled by hand so that every field can lie. */
export function zip(records: RecordOptions[], options: ZipOptions = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const record of records) {
    const { name, data, method = 0, flags = 0, localName = name } = record;
    const header = record.header ?? at;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(Buffer.byteLength(localName), 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(record.crc32 ?? crc32(data), 16);
    entry.writeUInt32LE(record.bytes ?? data.length, 20);
    entry.writeUInt32LE(record.bytes ?? data.length, 24);
    entry.writeUInt16LE(Buffer.byteLength(name), 28);
    entry.writeUInt32LE(header, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local, Buffer.from(localName), Buffer.from(data));
    at += 30 + Buffer.byteLength(localName) + data.length;
  }
  const entries = Buffer.concat(directory);
  parts.push(entries);
  if (options.zip64) {
    const end64 = Buffer.alloc(56 + 20);
    end64.writeUInt32LE(0x06064b50);
    end64.writeBigUInt64LE(44n, 4);
    end64.writeBigUInt64LE(options.end64?.records ?? BigInt(records.length), 24);
    end64.writeBigUInt64LE(options.end64?.records ?? BigInt(records.length), 32);
    end64.writeBigUInt64LE(options.end64?.bytes ?? BigInt(entries.length), 40);
    end64.writeBigUInt64LE(options.end64?.offset ?? BigInt(at), 48);
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeBigUInt64LE(BigInt(at + entries.length), 64);
    end64.writeUInt32LE(1, 72);
    parts.push(end64);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(options.end?.records ?? records.length, 8);
  end.writeUInt16LE(options.end?.records ?? records.length, 10);
  end.writeUInt32LE(options.end?.bytes ?? entries.length, 12);
  end.writeUInt32LE(options.end?.offset ?? at, 16);
  return Buffer.concat([...parts, end]);
}

/** A torch zip file around a pickle, with storages named by key. */
export function torchZip(pickle: Uint8Array, storages: Record<string, Uint8Array> = {}, options?: ZipOptions): Buffer {
  return zip(
    [
      { name: 'm/data.pkl', data: pickle },
      { name: 'm/byteorder', data: Buffer.from('little') },
      ...Object.entries(storages).map(([key, data]) => ({ name: `m/data/${key}`, data })),
    ],
    options,
  );
}

/** Pickle opcodes as bytes; see Lib/pickletools.py of CPython. */
export const op = {
  proto: (version = 2): Buffer => Buffer.from([0x80, version]),
  stop: Buffer.from('.'),
  mark: Buffer.from('('),
  none: Buffer.from('N'),
  false: Buffer.from([0x89]),
  emptyTuple: Buffer.from(')'),
  emptyDict: Buffer.from('}'),
  emptyList: Buffer.from(']'),
  tuple: Buffer.from('t'),
  tuple1: Buffer.from([0x85]),
  tuple2: Buffer.from([0x86]),
  reduce: Buffer.from('R'),
  newobj: Buffer.from([0x81]),
  build: Buffer.from('b'),
  setItems: Buffer.from('u'),
  setItem: Buffer.from('s'),
  persid: Buffer.from('Q'),
  stackGlobal: Buffer.from([0x93]),
  memoize: Buffer.from([0x94]),
  global: (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`),
  text: (value: string): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.byteLength(value));
    return Buffer.concat([Buffer.from('X'), length, Buffer.from(value)]);
  },
  int: (value: number): Buffer => {
    const bytes = Buffer.alloc(10);
    bytes.writeUInt8(0x8a);
    bytes.writeUInt8(8, 1);
    bytes.writeBigInt64LE(BigInt(value), 2);
    return bytes;
  },
  put: (index: number): Buffer => Buffer.from([0x71, index]),
  get: (index: number): Buffer => Buffer.from([0x68, index]),
};

export function pickle(...parts: Uint8Array[]): Buffer {
  return Buffer.concat([op.proto(), ...parts, op.stop]);
}

/** What REDUCE makes of a global with these arguments. */
export function call(module: string, name: string, ...args: Uint8Array[]): Buffer {
  return Buffer.concat([op.global(module, name), op.mark, ...args, op.tuple, op.reduce]);
}

export interface TensorOptions {
  key?: string;
  storage?: string;
  elements?: number;
  offset?: number;
  shape?: number[];
  strides?: number[];
}

export function rowMajor(shape: number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
}

/** The pickle of one tensor; by default 4 floats in storage 0. */
export function tensor(options: TensorOptions = {}): Buffer {
  const { key = '0', storage = 'FloatStorage', elements = 4, offset = 0, shape = [2, 2] } = options;
  const strides = options.strides ?? rowMajor(shape);
  const ints = (values: number[]): Buffer => Buffer.concat([op.mark, ...values.map(op.int), op.tuple]);
  const reference = Buffer.concat([
    op.mark,
    op.text('storage'),
    op.global('torch', storage),
    op.text(key),
    op.text('cpu'),
    op.int(elements),
    op.tuple,
    op.persid,
  ]);
  const hooks = call('collections', 'OrderedDict');
  return call(
    'torch._utils',
    '_rebuild_tensor_v2',
    reference,
    op.int(offset),
    ints(shape),
    ints(strides),
    op.false,
    hooks,
  );
}

/** The pickle of a state dict. */
export function stateDict(tensors: Record<string, Uint8Array>): Buffer {
  const items = Object.entries(tensors).flatMap(([name, value]) => [op.text(name), value]);
  return Buffer.concat([op.emptyDict, op.mark, ...items, op.setItems]);
}

/** A safetensors file from a header (an object or its text) and data. */
export function safetensors(header: unknown, data: Uint8Array = Buffer.alloc(0), headerBytes?: bigint): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerBytes ?? BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

export function floats(...values: number[]): Buffer {
  return Buffer.from(new Float32Array(values).buffer);
}
