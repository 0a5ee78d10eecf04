import { stat } from 'node:fs/promises';
import path from 'node:path';
import { readModelRecord } from './record.js';

/** Where the hub's own tools put a repository's files of one commit. */
const HUB_SNAPSHOT = /[\\/]models--[^\\/]+[\\/]snapshots[\\/]([^\\/]+)$/;

/**
 * The commit of the hub's repository that a model is of: from our record beside it, or by its place in the hub's cache.
 * Undefined where neither is, as for models of people's own.
 * @param source its folder or checkpoint file.
 */
export async function modelRevision(source: string): Promise<string | undefined> {
  const isFolder = await stat(source).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const folder = path.resolve(isFolder ? source : path.dirname(source));
  return (await readModelRecord(folder))?.revision ?? HUB_SNAPSHOT.exec(folder)?.[1];
}
