import { statfs } from 'node:fs/promises';
import { StorageError } from '../../contract/failures.js';
import { byteText } from '../../io/figure-text.js';
import { toStorageError } from '../../io/local-store.js';

/**
 * Makes sure that `bytes` more fit into a folder's file system, as far as this user may fill it.
 * @throws StorageError naming what is needed and what is free.
 */
export async function assertFreeSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder).catch((error: unknown) => {
    throw toStorageError(error, folder);
  });
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new StorageError({
    what: `needs ${byteText(bytes)} of disk space, ${byteText(free)} are free`,
    where: folder,
    next: 'Free some space, or set VIRNUCPRO_CACHE_DIR to a folder on a larger disk',
  });
}
