import { type FileHandle, open } from 'node:fs/promises';

/** The disk is asked to keep up whenever this much has been written, so that the last sync is short. */
const SYNC_BYTES = 1 << 26;

/** A file that is written from front to end, and put on the disk on the way. */
export class StreamedFile {
  private unsynced = 0;
  private syncing: Promise<void> | undefined;

  private constructor(private readonly handle: FileHandle) {}

  static async create(file: string): Promise<StreamedFile> {
    return new StreamedFile(await open(file, 'w'));
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.handle.writeFile(bytes);
    this.unsynced += bytes.length;
    if (this.unsynced < SYNC_BYTES || this.syncing !== undefined) return;
    this.unsynced = 0;
    this.syncing = this.handle.datasync().finally(() => (this.syncing = undefined));
    // Its error comes out of `close`, or of the next write.
    this.syncing.catch(() => {});
  }

  /** @throws what the disk refused meanwhile. */
  async close(): Promise<void> {
    try {
      await this.syncing;
    } finally {
      await this.handle.close();
    }
  }
}
