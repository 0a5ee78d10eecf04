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
   * A local path with the bytes of `ref`, checked against its digest.
   * @throws ArtifactInvalid when they are missing or differ; StorageError when the store cannot be read.
   */
  get(ref: ArtifactRef): Promise<string>;

  /** A local path with whatever is published under `key`, unchecked, or undefined. For files that check themselves. */
  peek(key: string): Promise<string | undefined>;

  /**
   * The reference to what is published under `key`, digested anew: for a file that {@link peek} found and that has proved
   * itself whole.
   */
  describe(key: string, records: number): Promise<ArtifactRef>;

  /** Keys of everything published directly under the folder `key`, sorted. */
  list(key: string): Promise<string[]>;

  /** Removes `key` and everything below it. Nothing there is fine. */
  remove(key: string): Promise<void>;

  /** Removes what writers that were killed left unpublished below `key`. For when nobody writes there any more. */
  removeUnpublished(key: string): Promise<void>;
}
