import { link, mkdir, mkdtemp, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import path from 'node:path';
import { SCRATCH_BYTES } from '../contract/defaults.js';
import { InternalError, OptionError } from '../contract/failures.js';
import { sha256OfFile, toStorageError } from './local-store.js';
import { cacheFolderPath } from './user-folders.js';

/** A copy that was asked for so recently may not be open yet. */
const IN_USE_MS = 5 * 60_000;

/** A folder in use is touched so often; one that was not for {@link ABANDONED_MS} belongs to a process that was killed. */
const BEAT_MS = 60_000;
const ABANDONED_MS = 60 * 60_000;

/** Between two looks at what can go. */
const SWEEP_MS = 10_000;

/**
 * This host's folder for files on their way from and to an object store: copies by digest, which all its processes share,
 * and folders to work in. Every name appears by a move, and any process may remove what is old.
 */
export class Scratch {
  private sweptAt = -Infinity;

  /** @param limitBytes of all copies together, as far as they are not in use; default: see {@link roomFor}. */
  constructor(
    private readonly root: string,
    private readonly limitBytes?: number,
  ) {}

  /** `VIRNUCPRO_SCRATCH`, at most `VIRNUCPRO_SCRATCH_BYTES`; by default in the user's cache folder. */
  static ofThisHost(env: NodeJS.ProcessEnv = process.env): Scratch {
    const root = path.resolve(env.VIRNUCPRO_SCRATCH || path.join(cacheFolderPath(env), 'scratch'));
    const text = env.VIRNUCPRO_SCRATCH_BYTES;
    if (!text) return new Scratch(root);
    const bytes = Number(text);
    if (Number.isSafeInteger(bytes) && bytes >= 0) return new Scratch(root, bytes);
    throw new OptionError({
      what: `${JSON.stringify(text)} is no number of bytes`,
      where: 'VIRNUCPRO_SCRATCH_BYTES',
      next: 'Give a whole number, e.g. 50000000000 for 50 GB, or leave it out',
    });
  }

  /** The copy with this digest, if there is one and it is whole. */
  async find(sha256: string): Promise<string | undefined> {
    const file = this.copy(sha256);
    try {
      await touch(file);
      const isWhole = (await sha256OfFile(file)) === sha256;
      if (!isWhole) await rm(file, { force: true });
      else await touch(file);
      return isWhole ? file : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw toStorageError(error, file);
    }
  }

  /** Makes `file`, which lies in a folder of {@link withFolder} and has this digest, the copy. */
  async keep(file: string, sha256: string): Promise<string> {
    const copy = this.copy(sha256);
    try {
      await mkdir(path.dirname(copy), { recursive: true });
      await rename(file, copy);
      await touch(copy);
    } catch (error) {
      throw toStorageError(error, copy);
    }
    return copy;
  }

  /**
   * Lends a folder that nobody else uses; it goes when `work` ends.
   * @throws StorageError when the disk refuses, `work` too; what else `work` throws.
   */
  async withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    let folder: string;
    try {
      await this.sweep();
      const parent = path.join(this.root, 'work');
      await mkdir(parent, { recursive: true, mode: 0o700 });
      folder = await mkdtemp(`${parent}${path.sep}`);
    } catch (error) {
      throw toStorageError(error, this.root);
    }
    const beat = setInterval(() => void touch(folder).catch(() => {}), BEAT_MS).unref();
    try {
      return await work(folder);
    } catch (error) {
      throw toStorageError(error, this.root);
    } finally {
      clearInterval(beat);
      await rm(folder, { recursive: true, force: true }).catch(() => {});
    }
  }

  /** As {@link withFolder}, with `copy` in it under `name`: it stays however long `work` takes. */
  async withCopy<T>(copy: string, name: string, work: (file: string) => Promise<T>): Promise<T> {
    return this.withFolder(async (folder) => {
      const file = path.join(folder, name);
      await link(copy, file).catch((error: unknown) => {
        throw toStorageError(error, file);
      });
      return work(file);
    });
  }

  /** Removes what killed processes left, and the copies that were not asked for for longest, down to the limit. */
  private async sweep(): Promise<void> {
    if (Date.now() - this.sweptAt < SWEEP_MS) return;
    this.sweptAt = Date.now();
    for (const { file, usedAt } of await filesIn(path.join(this.root, 'work'))) {
      if (Date.now() - usedAt > ABANDONED_MS) await rm(file, { recursive: true, force: true });
    }
    const copies = (await filesIn(this.copies)).sort((a, b) => a.usedAt - b.usedAt);
    let total = copies.reduce((sum, { bytes }) => sum + bytes, 0);
    const limit = this.limitBytes ?? (await roomFor(total, this.root));
    for (const { file, bytes } of copies) {
      if (total <= limit) return;
      // Looked at again: it may have been asked for meanwhile.
      const usedAt = (await stat(file).catch(() => undefined))?.atimeMs ?? 0;
      if (Date.now() - usedAt < IN_USE_MS) continue;
      await rm(file, { force: true });
      total -= bytes;
    }
  }

  private get copies(): string {
    return path.join(this.root, 'by-digest');
  }

  private copy(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new InternalError(`not a digest: ${sha256}`);
    return path.join(this.copies, sha256);
  }
}

/** Half of what the copies could have, so that they never fill a disk: SCRATCH_BYTES at most. */
async function roomFor(total: number, root: string): Promise<number> {
  const space = await statfs(root).catch(() => undefined);
  return space === undefined ? SCRATCH_BYTES : Math.min(SCRATCH_BYTES, (total + space.bavail * space.bsize) / 2);
}

async function filesIn(folder: string): Promise<{ file: string; bytes: number; usedAt: number }[]> {
  const found: { file: string; bytes: number; usedAt: number }[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const file = path.join(folder, name);
    const info = await stat(file).catch(() => undefined);
    if (info !== undefined) found.push({ file, bytes: info.size, usedAt: info.atimeMs });
  }
  return found;
}

/** Marks as used by the time of access alone: who watches a copy for changes must not see one. */
function touch(file: string): Promise<void> {
  return utimes(file, new Date(), new Date(0));
}
