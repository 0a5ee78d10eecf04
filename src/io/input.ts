import { createReadStream } from 'node:fs';
import path from 'node:path';
import { addAbortSignal } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { InputError } from '../contract/failures.js';
import { isZstd, unpackZstd } from './zstd.js';

/** Argument that stands for standard input. */
export const STDIN = '-';

/** Small enough that a piece is parsed within milliseconds, large enough that pieces cost nothing. */
const PIECE_BYTES = 1 << 20;

/** First bytes of formats that are not read, with what people can do about them. */
const OTHER_FORMATS = [
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58], unpack: 'xz -dc' },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], unpack: 'bzip2 -dc' },
  { name: 'zip', magic: [0x50, 0x4b, 0x03, 0x04], unpack: 'unzip -p' },
] as const;

/** First bytes of a file that {@link isPacked} and {@link readInput} look at. */
export const MAGIC_BYTES = 4;

/** How messages name an input. */
export function inputName(input: string): string {
  return input === STDIN ? 'standard input' : input;
}

/** First part of result files' names: `contigs` for `runs/contigs.fa.gz`, `stdin` for `-`. */
export function inputStem(input: string): string {
  if (input === STDIN) return 'stdin';
  const name = path.basename(input).replace(/\.(b?gz|zst)$/i, '');
  return name.replace(/\.(fa|fasta|fna|ffn|fas|fsa)$/i, '') || name;
}

/** Whether these first bytes are those of a file that is unpacked while it is read. */
export function isPacked(start: Uint8Array): boolean {
  return isGzip(start) || isZstd(start);
}

export interface ReadInputOptions {
  /** Ends a read that waits for its next piece, as standard input may for long. */
  signal?: AbortSignal;
  /** Is given the pieces as they are stored, before decompression. */
  onRead?: (piece: Uint8Array) => void;
}

/**
 * The bytes of a file or of standard input, decompressed if they start as gzip (also of several members, as bgzip writes
 * them) or zstd does.
 * @throws InputError when there is no such file, it cannot be read, is a truncated or damaged gzip or zstd file, or is
 * packed in another way. The signal's reason when it is aborted.
 */
export async function* readInput(input: string, options: ReadInputOptions = {}): AsyncGenerator<Uint8Array> {
  const stored = readStored(input, options);
  const head: Uint8Array[] = [];
  let headBytes = 0;
  while (headBytes < MAGIC_BYTES) {
    const { value, done } = await stored.next();
    if (done) break;
    head.push(value);
    headBytes += value.length;
  }
  const start = Buffer.concat(head);
  const other = OTHER_FORMATS.find(({ magic }) => magic.every((byte, i) => start[i] === byte));
  if (other !== undefined) {
    await stored.return(undefined);
    throw new InputError({
      what: `a ${other.name} file; FASTA is read plain, gzipped or packed by zstd`,
      where: inputName(input),
      next: `Unpack it first, or on the way: ${other.unpack} FILE | virnucpro predict -`,
    });
  }
  const all = prepend(start, stored);
  if (isGzip(start)) yield* gunzipped(all, inputName(input));
  else yield* isZstd(start) ? unpackZstd(all, inputName(input)) : all;
}

function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

async function* readStored(input: string, { signal, onRead }: ReadInputOptions): AsyncGenerator<Uint8Array> {
  const stream = input === STDIN ? process.stdin : createReadStream(input, { highWaterMark: PIECE_BYTES });
  if (signal) addAbortSignal(signal, stream);
  try {
    for await (const piece of stream) {
      onRead?.(piece as Uint8Array);
      yield piece as Uint8Array;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw toInputError(error, inputName(input));
  }
}

async function* prepend(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  yield* rest;
}

async function* gunzipped(source: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  // Its errors destroy `gunzip` and so come out of the loop below.
  const feeding = pipeline(source, gunzip).catch(() => {});
  try {
    for await (const piece of gunzip) yield piece as Uint8Array;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (!code?.startsWith('Z_')) throw error;
    const truncated = code === 'Z_BUF_ERROR';
    throw new InputError({
      what: truncated ? 'gzip file is truncated' : `gzip file is damaged: ${(error as Error).message}`,
      where: file,
      next: 'Copy or download it again, and check it with gzip -t',
      cause: error,
    });
  } finally {
    gunzip.destroy();
    await feeding;
  }
}

const NEXT_STEPS: Readonly<Record<string, { what: string; next: string }>> = {
  ENOENT: { what: 'no such file', next: 'Check the path' },
  ENOTDIR: { what: 'no such file', next: 'Check the path' },
  EISDIR: { what: 'a folder, not a file', next: 'Name one FASTA file' },
  EACCES: { what: 'no permission to read it', next: 'Ask for read permission, or copy it' },
  ENAMETOOLONG: { what: 'a path that is longer than the file system takes', next: 'Check the path' },
  ELOOP: { what: 'links that lead to each other', next: 'Check the path' },
  ERR_INVALID_ARG_VALUE: { what: 'a path with a null character', next: 'Check the path' },
  EPERM: { what: 'no permission to read it', next: 'Ask for read permission, or copy it' },
};

/** Turns what the file system says about an input into words; passes every other error on. */
export function toInputError(error: unknown, where: string): unknown {
  const known = NEXT_STEPS[(error as NodeJS.ErrnoException).code ?? ''];
  return known ? new InputError({ ...known, where, cause: error }) : error;
}
