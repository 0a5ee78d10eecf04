import { type FileHandle, lstat, open, realpath, stat } from 'node:fs/promises';
import { ModelError } from '../../contract/failures.js';
import { DamagedCheckpoint, damaged } from './damaged.js';

/** Bytes a streaming read takes at once: large enough that a call costs nothing, small enough for a CPU's cache. */
const PIECE_BYTES = 1 << 20;

/** An open, read-only file of a checkpoint; every read is checked against its size. */
export class CheckpointFile {
  constructor(
    /** Real path, symlinks resolved. */
    readonly path: string,
    /** Length in bytes when it was opened. */
    readonly size: number,
    private readonly handle: FileHandle,
  ) {}

  /** The `bytes` bytes at `offset`, in a buffer of their own. @throws ModelError when the file does not hold them. */
  async read(offset: number, bytes: number): Promise<Buffer> {
    this.checkRange(offset, bytes);
    const buffer = Buffer.from(new ArrayBuffer(bytes));
    for (let done = 0; done < bytes;) done += (await this.fill(buffer.subarray(done), offset + done)).length;
    return buffer;
  }

  /**
   * Streams `bytes` bytes from `offset`, reading ahead by one piece. Pieces start 4-byte aligned in memory and, the
   * last apart, are a multiple of 4 long. A piece's memory is used again: take what you need before the next.
   * @throws ModelError when the file does not hold them.
   */
  async *pieces(offset: number, bytes: number): AsyncGenerator<Buffer> {
    this.checkRange(offset, bytes);
    const size = Math.min(PIECE_BYTES, bytes);
    const buffers = [Buffer.from(new ArrayBuffer(size)), Buffer.from(new ArrayBuffer(size))];
    const fetch = async (from: number, into: Buffer): Promise<Buffer> => {
      const piece = into.subarray(0, Math.min(size, bytes - from));
      for (let done = 0; done < piece.length;) {
        done += (await this.fill(piece.subarray(done), offset + from + done)).length;
      }
      return piece;
    };
    let next = fetch(0, buffers[0]!);
    for (let done = 0, turn = 1; done < bytes; turn = 1 - turn) {
      const piece = await next;
      done += piece.length;
      next = fetch(done, buffers[turn]!);
      next.catch(() => {}); // a consumer that stops early leaves it unawaited
      yield piece;
    }
  }

  private checkRange(offset: number, bytes: number): void {
    if (offset >= 0 && bytes >= 0 && offset + bytes <= this.size) return;
    throw damaged(`${bytes} bytes at ${offset} lie outside the file of ${this.size} bytes`, this.path);
  }

  private async fill(buffer: Buffer, position: number): Promise<Buffer> {
    // One read call takes at most 2 GiB.
    const length = Math.min(buffer.length, 1 << 30);
    const { bytesRead } = await this.handle.read(buffer, 0, length, position).catch((error: unknown) => {
      throw unreadable(this.path, error);
    });
    if (bytesRead === 0) throw damaged(`file ended at ${position}: it was cut while it was read`, this.path);
    return buffer.subarray(0, bytesRead);
  }
}

/**
 * Opens `file` read-only for the time of `use`.
 * @throws ModelError when it is missing, a broken link, not a regular file, or may not be read.
 */
export async function withCheckpointFile<T>(file: string, use: (file: CheckpointFile) => Promise<T>): Promise<T> {
  const real = await realpath(file).catch(async (error: unknown) => {
    throw (await isLink(file)) ? brokenLink(file) : unreadable(file, error);
  });
  let handle: FileHandle;
  let size: number;
  try {
    // Before open: opening a pipe would wait for a writer.
    const status = await stat(real);
    if (!status.isFile()) throw notAFile(file);
    size = status.size;
    handle = await open(real, 'r');
  } catch (error) {
    throw error instanceof ModelError ? error : unreadable(file, error);
  }
  try {
    return await use(new CheckpointFile(real, size, handle));
  } finally {
    await handle.close();
  }
}

/** The error for a path that the system does not let us read. */
export function unreadable(file: string, cause: unknown): DamagedCheckpoint {
  const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  return new DamagedCheckpoint({
    what: missing ? 'no such file or folder' : `cannot be read: ${(cause as Error).message}`,
    where: file,
    next: missing ? 'Check the path, or download the model first' : 'Check its permissions and the disk',
    cause,
  });
}

async function isLink(file: string): Promise<boolean> {
  return lstat(file).then(
    (status) => status.isSymbolicLink(),
    () => false,
  );
}

function brokenLink(file: string): DamagedCheckpoint {
  return new DamagedCheckpoint({
    what: 'a link to a file that is not there',
    where: file,
    next: 'The download was not finished or its cache was cleaned: download the model again',
  });
}

function notAFile(file: string): ModelError {
  return new ModelError({ what: 'not a regular file', where: file, next: 'Name a checkpoint file or its folder' });
}
