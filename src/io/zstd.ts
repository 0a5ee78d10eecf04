import { InputError } from '../contract/failures.js';
import { Xxh64 } from './xxh64.js';
import type { Unpacked } from './zstd-blocks.js';
import { ZstdThread } from './zstd-thread.js';

const FRAME_MAGIC = 0xfd2fb528;

/** The first of the sixteen magic numbers of frames that carry something else and are passed over. */
const SKIPPABLE_MAGIC = 0x184d2a50;

/** Bytes that a frame may refer back to, all of them held in memory. The zstd program, too, takes no more unless told. */
const LARGEST_WINDOW = 2 ** 27;

const LARGEST_BLOCK = 2 ** 17;
const BLOCK_HEADER_BYTES = 3;

/** What unpacks the blocks, in their order. */
export type ZstdUnpacker = Pick<ZstdThread, 'startFrame' | 'unpack' | 'close'>;

/** What a frame's header says of it. */
interface FrameHeader {
  bytes: Buffer;
  hasChecksum: boolean;
  /** Bytes of its content, where it says so. */
  contentBytes: bigint | undefined;
}

/** Whether these are the first bytes of a zstd file, which may begin with a skippable frame. */
export function isZstd(start: Uint8Array): boolean {
  if (start.length < 4) return false;
  const magic = Buffer.from(start.buffer, start.byteOffset, 4).readUInt32LE();
  return magic === FRAME_MAGIC || isSkippable(magic);
}

/**
 * The content of a zstd file (RFC 8878) of any number of frames, block by block; holds two blocks and the window. The blocks
 * are unpacked by fzstd, which does not look at sizes and checksums: that is done here.
 * @param file how messages name the input.
 * @param start what unpacks the blocks, called with the first frame and closed at the end.
 * @throws InputError when it is truncated or damaged, needs a dictionary or a window over 128 MiB.
 */
export async function* unpackZstd(
  source: AsyncIterable<Uint8Array>,
  file: string,
  start: () => ZstdUnpacker = () => new ZstdThread(),
): AsyncGenerator<Uint8Array> {
  const reader = new ExactReader(source[Symbol.asyncIterator](), file);
  let unpacker: ZstdUnpacker | undefined;
  try {
    for (let magic = await reader.takeUnlessEnd(4); magic !== undefined; magic = await reader.takeUnlessEnd(4)) {
      const kind = magic.readUInt32LE();
      if (isSkippable(kind)) await reader.skip((await reader.take(4)).readUInt32LE());
      else if (kind === FRAME_MAGIC) {
        const header = await readHeader(magic, reader, file);
        unpacker ??= start();
        yield* unpackFrame(header, reader, unpacker, file);
      } else throw damaged('bytes that are no frame', file);
    }
  } finally {
    await unpacker?.close();
    await reader.close();
  }
}

async function* unpackFrame(
  header: FrameHeader,
  reader: ExactReader,
  unpacker: ZstdUnpacker,
  file: string,
): AsyncGenerator<Uint8Array> {
  const checksum = new Xxh64();
  let bytes = 0n;
  const piecesOf = (unpacked: Unpacked): Uint8Array[] => {
    if ('damage' in unpacked) throw damaged(unpacked.damage, file);
    return unpacked.pieces;
  };
  const unpackNext = async (): Promise<{ unpacked: Promise<Unpacked>; isLast: boolean }> => {
    const { bytes, isLast } = await readBlock(reader, file);
    const unpacked = unpacker.unpack(bytes);
    // Nobody waits for it when the content is read no further.
    unpacked.catch(() => {});
    return { unpacked, isLast };
  };
  piecesOf(await unpacker.startFrame(header.bytes));
  for (let next = await unpackNext(), isLast = false; !isLast;) {
    isLast = next.isLast;
    const pieces = piecesOf(await next.unpacked);
    // One block ahead: it is unpacked while this one is used.
    if (!isLast) next = await unpackNext();
    for (const piece of pieces) {
      bytes += BigInt(piece.length);
      checksum.update(piece);
      yield piece;
    }
  }
  if (header.contentBytes !== undefined && header.contentBytes !== bytes) {
    throw damaged(`a frame says that it has ${header.contentBytes} bytes and has ${bytes}`, file);
  }
  if (!header.hasChecksum) return;
  if ((await reader.take(4)).readUInt32LE() !== Number(checksum.digest() & 0xffffffffn)) {
    throw damaged("a frame's content differs from its checksum", file);
  }
}

async function readHeader(magic: Buffer, reader: ExactReader, file: string): Promise<FrameHeader> {
  const descriptor = await reader.take(1);
  const flags = descriptor[0]!;
  const isSingleSegment = (flags & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3]!;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][flags >> 6]!;
  const rest = await reader.take((isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes);
  const contentBytes = sizeBytes === 0 ? undefined : readSize(rest.subarray(-sizeBytes));
  const window = isSingleSegment ? Number(contentBytes) : windowOf(rest[0]!);
  if (window > LARGEST_WINDOW) {
    throw new InputError({
      what: `zstd file that takes ${window} bytes of memory to unpack; up to ${LARGEST_WINDOW} are taken`,
      where: file,
      next: 'Unpack it first, or on the way: zstd -dc --long=31 FILE | virnucpro predict -',
    });
  }
  const dictionary = rest.subarray(rest.length - sizeBytes - dictionaryBytes, rest.length - sizeBytes);
  if (dictionary.some((byte) => byte !== 0)) {
    throw new InputError({
      what: 'zstd file that was packed with a dictionary',
      where: file,
      next: 'Unpack it first, or on the way: zstd -dc -D DICTIONARY FILE | virnucpro predict -',
    });
  }
  return { bytes: Buffer.concat([magic, descriptor, rest]), hasChecksum: (flags & 4) !== 0, contentBytes };
}

/** A block as it is stored, its header with it. */
async function readBlock(reader: ExactReader, file: string): Promise<{ bytes: Buffer; isLast: boolean }> {
  const header = await reader.take(BLOCK_HEADER_BYTES);
  const fields = header.readUIntLE(0, BLOCK_HEADER_BYTES);
  const size = fields >> 3;
  if (size > LARGEST_BLOCK) throw damaged(`a block of ${size} bytes`, file);
  // A block of one repeated byte is stored as that byte.
  const isRepeated = ((fields >> 1) & 3) === 1;
  const content = await reader.take(isRepeated ? 1 : size);
  return { bytes: Buffer.concat([header, content]), isLast: (fields & 1) === 1 };
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function readSize(field: Buffer): bigint {
  if (field.length === 8) return field.readBigUInt64LE();
  // In two bytes, 256 is written as 0.
  return BigInt(field.readUIntLE(0, field.length) + (field.length === 2 ? 256 : 0));
}

function isSkippable(magic: number): boolean {
  return magic - SKIPPABLE_MAGIC >= 0 && magic - SKIPPABLE_MAGIC < 16;
}

/** Takes exact numbers of bytes from pieces of any size. */
class ExactReader {
  private piece: Uint8Array = new Uint8Array();

  constructor(
    private readonly source: AsyncIterator<Uint8Array>,
    private readonly file: string,
  ) {}

  /** @throws InputError when the file ends before. */
  async take(count: number): Promise<Buffer> {
    const taken = Buffer.alloc(count);
    let length = 0;
    while (length < count) {
      if (this.piece.length === 0 && !(await this.refill())) throw this.truncated();
      const part = this.piece.subarray(0, count - length);
      taken.set(part, length);
      length += part.length;
      this.piece = this.piece.subarray(part.length);
    }
    return taken;
  }

  /** Undefined when the file ends right here. */
  async takeUnlessEnd(count: number): Promise<Buffer | undefined> {
    return this.piece.length > 0 || (await this.refill()) ? this.take(count) : undefined;
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      if (this.piece.length === 0 && !(await this.refill())) throw this.truncated();
      const skipped = Math.min(left, this.piece.length);
      this.piece = this.piece.subarray(skipped);
      left -= skipped;
    }
  }

  async close(): Promise<void> {
    await this.source.return?.();
  }

  private async refill(): Promise<boolean> {
    while (this.piece.length === 0) {
      const { value, done } = await this.source.next();
      if (done) return false;
      this.piece = value as Uint8Array;
    }
    return true;
  }

  private truncated(): InputError {
    return new InputError({
      what: 'zstd file is truncated',
      where: this.file,
      next: 'Copy or download it again, and check it with zstd -t',
    });
  }
}

function damaged(how: string, where: string): InputError {
  return new InputError({
    what: `zstd file is damaged: ${how}`,
    where,
    next: 'Copy or download it again, and check it with zstd -t',
  });
}
