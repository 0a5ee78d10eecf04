import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, copyFile, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ArtifactRef } from '../contract/artifacts.js';
import { ArtifactInvalid, InternalError, StorageError } from '../contract/failures.js';
import type { ArtifactStore } from './artifact-store.js';

/** What names of files that are being written end with. */
const TEMPORARY = '.tmp';

let temporaryNames = 0;

/** A name beside `target` that no other process, attempt or thawed twin writes to. */
export function temporaryName(target: string): string {
  temporaryNames += 1;
  return `${target}.${process.pid}-${Date.now().toString(36)}-${temporaryNames}${TEMPORARY}`;
}

/**
 * Writes `target` through a temporary name in the same folder, flushed to disk and moved into place.
 * @throws StorageError when the disk refuses.
 */
export async function writeAtomically<T>(target: string, write: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = temporaryName(target);
  try {
    await mkdir(path.dirname(target), { recursive: true });
    const result = await write(temporary);
    const handle = await open(temporary, 'r');
    await handle.sync();
    await handle.close();
    await rename(temporary, target);
    return result;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw toStorageError(error, target);
  }
}

const DISK_ERRORS = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EROFS',
  'EACCES',
  'EPERM',
  'ENFILE',
  'EMFILE',
  'ESTALE',
  'EISDIR',
  'ENOTDIR',
  'ELOOP',
  'ENAMETOOLONG',
]);

/** A disk's or file system's refusal as StorageError; anything else as it is. */
export function toStorageError(error: unknown, where: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined || !DISK_ERRORS.has(code)) return error;
  const next =
    code === 'ENOSPC' || code === 'EDQUOT' ? 'Free some space; the run goes on by itself' : 'Check the folder';
  return new StorageError({ what: `cannot read or write: ${(error as Error).message}`, where, next, cause: error });
}

/** Hex SHA-256 of a file, streamed. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** Artifacts as files under one folder: the run's output folder on one machine, or a file system shared by hosts. */
export class LocalStore implements ArtifactStore {
  constructor(readonly root: string) {}

  async put(key: string, write: (localPath: string) => Promise<number>): Promise<ArtifactRef> {
    const target = this.resolve(key);
    return writeAtomically(target, async (temporary) => {
      const records = await write(temporary);
      return { ...(await describeFile(temporary, records)), uri: pathToFileURL(target).href };
    });
  }

  async putFolder<T>(key: string, write: (folder: string) => Promise<T>): Promise<T> {
    return write(this.locate(key));
  }

  async publish(key: string, file: string): Promise<ArtifactRef> {
    return this.put(key, async (target) => {
      await copyFile(file, target);
      return 0;
    });
  }

  async get(ref: ArtifactRef): Promise<string> {
    const file = this.within(ref.uri);
    const actual = await sha256OfFile(file).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'no file';
      throw toStorageError(error, file);
    });
    if (actual !== ref.sha256) {
      throw new ArtifactInvalid({
        what: `artifact has sha256 ${actual}, expected ${ref.sha256}`,
        where: file,
        next: 'It will be made again',
      });
    }
    return file;
  }

  async peek(key: string): Promise<string | undefined> {
    const file = this.resolve(key);
    return access(file).then(
      () => file,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
        throw toStorageError(error, file);
      },
    );
  }

  async describe(key: string, records: number): Promise<ArtifactRef> {
    return describeFile(this.resolve(key), records);
  }

  async holds(key: string, { sha256, bytes }: Pick<ArtifactRef, 'sha256' | 'bytes'>): Promise<boolean> {
    const file = this.resolve(key);
    const found = await stat(file).catch(() => undefined);
    return found?.size === bytes && (await sha256OfFile(file)) === sha256;
  }

  async list(key: string): Promise<string[]> {
    return (await this.filesBelow(key)).filter((file) => !file.endsWith(TEMPORARY)).sort();
  }

  async remove(key: string): Promise<void> {
    await rm(this.resolve(key), { recursive: true, force: true });
  }

  async removeUnpublished(key: string): Promise<void> {
    for (const file of await this.filesBelow(key)) {
      if (file.endsWith(TEMPORARY)) await rm(path.join(this.root, file), { force: true });
    }
  }

  locate(key: string): string {
    return key === '' ? path.resolve(this.root) : this.resolve(key);
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.root);
    return bavail * bsize;
  }

  /** Keys of all files below a folder, also of those that are being written. */
  private async filesBelow(key: string): Promise<string[]> {
    const folder = this.locate(key);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw toStorageError(error, key);
      },
    );
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(this.root, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'));
  }

  private resolve(key: string): string {
    const file = path.resolve(this.root, key);
    if (this.holdsPath(file)) return file;
    throw new InternalError(`key leaves the store: ${key}`);
  }

  /** The path of a reference of this store: they come from histories, and name nothing else on this machine. */
  private within(uri: string): string {
    const file = toPath(uri);
    if (file !== undefined && this.holdsPath(file)) return file;
    throw new InternalError(`reference leaves the store: ${uri}`);
  }

  /** @param file absolute, without `..`. */
  private holdsPath(file: string): boolean {
    return file.startsWith(path.join(path.resolve(this.root), path.sep));
  }
}

/** Undefined when `uri` names no local file. */
function toPath(uri: string): string | undefined {
  try {
    return path.resolve(fileURLToPath(uri));
  } catch {
    return undefined;
  }
}

async function describeFile(file: string, records: number): Promise<ArtifactRef> {
  const { size } = await stat(file);
  return { uri: pathToFileURL(file).href, sha256: await sha256OfFile(file), bytes: size, records };
}
