import { type FileHandle, open } from 'node:fs/promises';

/** The disk is asked to keep up whenever this much has been written, so that closing is quick. */
const SYNC_BYTES = 1 << 24;

/** A file that is written from front to end, and put on the disk on the way: on it when it is closed. */
export class StreamedFile {
  private unsynced = 0;
  private syncing: Promise<void> | undefined;
  /** What the disk refused. It says so only once. */
  private failure: { error: unknown } | undefined;

  private constructor(private readonly handle: FileHandle) {}

  /** @throws the file system's error. Overwrites what is there. */
  static async create(file: string): Promise<StreamedFile> {
    return new StreamedFile(await open(file, 'w'));
  }

  /** Settled when the system has the bytes, which may be used again then. @throws the file system's error. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.handle.writeFile(bytes);
    this.unsynced += bytes.length;
    if (this.unsynced >= SYNC_BYTES && this.syncing === undefined) {
      this.unsynced = 0;
      this.syncing = this.sync();
    }
  }

  /** @throws what the disk refused on the way. */
  async close(): Promise<void> {
    await this.syncing;
    await this.sync();
    await this.handle.close();
    if (this.failure !== undefined) throw this.failure.error;
  }

  private async sync(): Promise<void> {
    try {
      await this.handle.datasync();
    } catch (error) {
      this.failure ??= { error };
    } finally {
      this.syncing = undefined;
    }
  }
}
