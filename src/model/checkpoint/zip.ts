import { crc32 } from 'node:zlib';
import { ModelError } from '../../contract/failures.js';
import type { CheckpointFile } from './checkpoint-file.js';
import { DamagedCheckpoint, damaged } from './damaged.js';

/** A record of a zip file, stored uncompressed: its bytes lie at `offset`. */
export interface ZipRecord {
  name: string;
  offset: number;
  bytes: number;
  crc32: number;
}

/** A record is one tensor storage; ESM-2 15B has under 1,000. Bounds the one read per local header below. */
const MAX_RECORDS = 100_000;
/** MAX_RECORDS names of 300 bytes; held in memory at once. */
const MAX_DIRECTORY_BYTES = 32 << 20;

// Layout: PKWARE APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (directory), 4.3.14 to 4.3.16 (its end).
const LOCAL = 0x04034b50;
const ENTRY = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const LOCAL_BYTES = 30;
const ENTRY_BYTES = 46;
const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR64_BYTES = 20;

/**
 * The records of a zip file as `torch.save` writes it, by name. Stricter than zip: no comment, no gap between the
 * directory and its end, nothing compressed or encrypted, no two records on the same bytes or of the same name, no name
 * that climbs out of its folder.
 * @throws ModelError when anything else is found.
 */
export async function readZipRecords(file: CheckpointFile): Promise<Map<string, ZipRecord>> {
  const directory = await findDirectory(file);
  const bytes = await file.read(directory.offset, directory.bytes);
  const records = new Map<string, ZipRecord>();
  let dataEnd = 0;
  for (const entry of directoryEntries(bytes, directory.records, file.path).sort((a, b) => a.header - b.header)) {
    if (records.has(entry.name)) throw damaged(`zip file has two records named ${entry.name}`, file.path);
    if (entry.header < dataEnd) throw damaged(`record ${entry.name} overlaps another`, file.path);
    const offset = await dataOffset(file, entry);
    dataEnd = offset + entry.bytes;
    if (dataEnd > directory.offset) throw damaged(`record ${entry.name} lies outside the file`, file.path);
    records.set(entry.name, { name: entry.name, offset, bytes: entry.bytes, crc32: entry.crc32 });
  }
  return records;
}

/** The bytes of one record. @throws ModelError when they do not match its checksum. */
export async function readRecord(file: CheckpointFile, record: ZipRecord): Promise<Buffer> {
  const bytes = await file.read(record.offset, record.bytes);
  checkChecksum(record, crc32(bytes), file.path);
  return bytes;
}

/** Compares every record with its checksum while the whole file streams by. */
export class RecordChecksums {
  private readonly records: ZipRecord[];
  private position = 0;
  private current = 0;
  private checksum = 0;

  constructor(
    records: Iterable<ZipRecord>,
    private readonly where: string,
  ) {
    this.records = [...records].sort((a, b) => a.offset - b.offset);
  }

  /** Takes the file's next piece. @throws ModelError at the end of a record whose bytes do not match. */
  update(piece: Buffer): void {
    const pieceEnd = this.position + piece.length;
    for (let record; (record = this.records[this.current]) && record.offset <= pieceEnd; this.current++) {
      const end = record.offset + record.bytes;
      const from = Math.max(record.offset, this.position);
      this.checksum = crc32(
        piece.subarray(from - this.position, Math.min(end, pieceEnd) - this.position),
        this.checksum,
      );
      if (end > pieceEnd) break;
      checkChecksum(record, this.checksum, this.where);
      this.checksum = 0;
    }
    this.position = pieceEnd;
  }
}

function checkChecksum(record: ZipRecord, actual: number, where: string): void {
  if (actual === record.crc32) return;
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  throw new DamagedCheckpoint({
    what: `record ${record.name} has checksum ${hex(actual)}, expected ${hex(record.crc32)}`,
    where,
    next: 'The file is damaged: download it again, or save it again if torch wrote it with checksums turned off',
  });
}

interface Directory {
  offset: number;
  bytes: number;
  records: number;
}

async function findDirectory(file: CheckpointFile): Promise<Directory> {
  const cut = (): ModelError => damaged('zip file does not end with its directory: it was cut short', file.path);
  const endAt = file.size - END_BYTES;
  if (endAt < 0) throw cut();
  const end = await file.read(endAt, END_BYTES);
  if (end.readUInt32LE(0) !== END || end.readUInt16LE(20) !== 0) throw cut();
  const classic: Directory = {
    records: end.readUInt16LE(10),
    bytes: end.readUInt32LE(12),
    offset: end.readUInt32LE(16),
  };
  const wide = await findDirectory64(file, endAt - LOCATOR64_BYTES);
  // A field of all ones means: see the zip64 record.
  const agree = (narrow: number, ones: number, value: number): boolean => narrow === value || narrow === ones;
  if (
    wide &&
    !(
      agree(classic.records, 0xffff, wide.records) &&
      agree(classic.bytes, 0xffffffff, wide.bytes) &&
      agree(classic.offset, 0xffffffff, wide.offset)
    )
  ) {
    throw damaged('the two ends of the zip directory contradict each other', file.path);
  }
  const directory = wide ?? classic;
  const directoryEnd = wide ? endAt - LOCATOR64_BYTES - END64_BYTES : endAt;
  if (directory.offset + directory.bytes !== directoryEnd) {
    throw damaged(`zip directory at ${directory.offset} is not where it should be`, file.path);
  }
  if (directory.bytes > MAX_DIRECTORY_BYTES || directory.records > MAX_RECORDS) {
    throw damaged(
      `zip directory of ${directory.bytes} bytes with ${directory.records} records, ` +
        `allowed are ${MAX_DIRECTORY_BYTES} bytes with ${MAX_RECORDS} records`,
      file.path,
    );
  }
  return directory;
}

async function findDirectory64(file: CheckpointFile, locatorAt: number): Promise<Directory | undefined> {
  if (locatorAt < END64_BYTES) return undefined;
  const locator = await file.read(locatorAt, LOCATOR64_BYTES);
  if (locator.readUInt32LE(0) !== LOCATOR64) return undefined;
  const end64At = locatorAt - END64_BYTES;
  const end64 = await file.read(end64At, END64_BYTES);
  if (uint64(locator, 8, file.path) !== end64At || end64.readUInt32LE(0) !== END64) {
    throw damaged('zip64 end of the directory is not where it should be', file.path);
  }
  return {
    records: uint64(end64, 32, file.path),
    bytes: uint64(end64, 40, file.path),
    offset: uint64(end64, 48, file.path),
  };
}

interface Entry {
  name: string;
  crc32: number;
  bytes: number;
  /** Offset of the record's local header. */
  header: number;
}

function directoryEntries(bytes: Buffer, records: number, where: string): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  while (at + ENTRY_BYTES <= bytes.length && bytes.readUInt32LE(at) === ENTRY) {
    const nameEnd = at + ENTRY_BYTES + bytes.readUInt16LE(at + 28);
    const extraEnd = nameEnd + bytes.readUInt16LE(at + 30);
    if (extraEnd > bytes.length) break;
    entries.push(directoryEntry(bytes.subarray(at, nameEnd), bytes.subarray(nameEnd, extraEnd), where));
    at = extraEnd + bytes.readUInt16LE(at + 32);
  }
  if (at !== bytes.length || entries.length !== records) {
    throw damaged(`zip directory claims ${records} records, ${entries.length} can be read`, where);
  }
  return entries;
}

function directoryEntry(entry: Buffer, extra: Buffer, where: string): Entry {
  const name = entry.toString('utf8', ENTRY_BYTES);
  checkName(name, where);
  const encrypted = (entry.readUInt16LE(8) & 1) !== 0;
  if (encrypted || entry.readUInt16LE(10) !== 0) {
    throw new ModelError({
      what: `record ${name} is ${encrypted ? 'encrypted' : 'compressed'}, but weights are read in place`,
      where,
      next: 'Save the file again with torch.save of a current PyTorch, which stores them as they are',
    });
  }
  // Fields of all ones are in the zip64 extra, in this order.
  const wide = zip64Extra(extra);
  const [bytes, stored, header] = [24, 20, 42].map((at) => {
    const narrow = entry.readUInt32LE(at);
    if (narrow !== 0xffffffff) return narrow;
    const value = wide.shift();
    if (value === undefined) throw damaged(`record ${name} lacks its zip64 sizes`, where);
    return toNumber(value, where);
  }) as [number, number, number];
  if (bytes !== stored) throw damaged(`record ${name} has two sizes, ${bytes} and ${stored}`, where);
  return { name, crc32: entry.readUInt32LE(16), bytes, header };
}

function zip64Extra(extra: Buffer): bigint[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const data = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    if (extra.readUInt16LE(at) === 1) {
      return Array.from({ length: data.length >> 3 }, (_, i) => data.readBigUInt64LE(8 * i));
    }
    at += 4 + data.length;
  }
  return [];
}

function checkName(name: string, where: string): void {
  const parts = name.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..') || /[\\\0\ufffd]/.test(name)) {
    throw damaged(`zip file has a record with the unusable name ${JSON.stringify(name)}`, where);
  }
}

async function dataOffset(file: CheckpointFile, entry: Entry): Promise<number> {
  const nameEnd = LOCAL_BYTES + Buffer.byteLength(entry.name);
  const local = await file.read(entry.header, nameEnd);
  if (
    local.readUInt32LE(0) !== LOCAL ||
    local.readUInt16LE(26) !== nameEnd - LOCAL_BYTES ||
    local.toString('utf8', LOCAL_BYTES) !== entry.name
  ) {
    throw damaged(`record ${entry.name} is not where the zip directory says`, file.path);
  }
  return entry.header + nameEnd + local.readUInt16LE(28);
}

function uint64(bytes: Buffer, at: number, where: string): number {
  return toNumber(bytes.readBigUInt64LE(at), where);
}

function toNumber(value: bigint, where: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(`zip file claims a size of ${value} bytes`, where);
  return Number(value);
}
