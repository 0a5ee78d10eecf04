import type { ArtifactRef } from '../contract/artifacts.js';

/**
 * Where artifacts live. Code works on local files; a store decides whether that file is the artifact itself (a shared
 * file system) or a copy (an object store). Keys are `/`-separated and stay inside the store's root.
 */
export interface ArtifactStore {
  /**
   * Publishes what `write` puts at the local path it is given, atomically: readers see the whole file or none.
   * @param write returns the number of records written.
   * @throws StorageError when the bytes cannot be written (disk full, store away).
   */
  put(key: string, write: (localPath: string) => Promise<number>): Promise<ArtifactRef>;

  /**
   * Publishes the files that `write` puts into the local folder it is given, under the folder `key`: each atomically, in
   * no order. In place where the store is a folder.
   * @param key empty for the root, or ending in `/`.
   * @throws StorageError.
   */
  putFolder<T>(key: string, write: (folder: string) => Promise<T>): Promise<T>;

  /**
   * Publishes a copy of a local file, atomically. `records` is 0: what it holds is its reader's affair.
   * @throws StorageError; ENOENT and the like when the file cannot be read.
   */
  publish(key: string, file: string): Promise<ArtifactRef>;

  /**
   * A local path with the bytes of `ref`, checked against its digest. Open it soon: a copy is kept for minutes at least,
   * and a file that is open stays readable.
   * @throws ArtifactInvalid when they are missing or differ; StorageError when the store cannot be read; InternalError when
   * `ref` is of another store.
   */
  get(ref: ArtifactRef): Promise<string>;

  /**
   * A local path with whatever is published under `key`, or undefined: nothing, or a file that the store itself knows to be
   * damaged. For files that check themselves. As {@link get}, open it soon.
   */
  peek(key: string): Promise<string | undefined>;

  /**
   * The reference to what is published under `key`, digested anew: for a file that {@link peek} found and that has proved
   * itself whole.
   */
  describe(key: string, records: number): Promise<ArtifactRef>;

  /** Whether these bytes are published under `key`. An object store is asked for their digest, not read. */
  holds(key: string, expected: Pick<ArtifactRef, 'sha256' | 'bytes'>): Promise<boolean>;

  /** Keys of everything published below the folder `key` (empty: everything), sorted. */
  list(key: string): Promise<string[]>;

  /** Removes `key` and everything below it. Nothing there is fine. */
  remove(key: string): Promise<void>;

  /** Removes what writers that were killed left unpublished below `key`. For when nobody writes there any more. */
  removeUnpublished(key: string): Promise<void>;

  /** Where `key` is, for people: a path or a uri. */
  locate(key: string): string;

  /** Bytes that there is room for; infinite where nobody can tell. */
  freeBytes(): Promise<number>;
}
