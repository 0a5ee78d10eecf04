import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { unreadable } from '../checkpoint/checkpoint-file.js';
import { checkpointName, modelFiles } from '../checkpoint/file-names.js';

/** A file that loading a model takes. */
export interface ModelFile {
  name: string;
  /** Real path: in a hub's cache the names are links. */
  path: string;
  bytes: number;
}

/**
 * The files of a model on disk; none of a folder that has no checkpoint.
 * @param source its folder or checkpoint file.
 * @throws ModelError when it cannot be read.
 */
export async function listModelFiles(source: string): Promise<ModelFile[]> {
  try {
    const isFolder = (await stat(source)).isDirectory();
    const folder = isFolder ? source : path.dirname(source);
    const names = await readdir(folder);
    const checkpoint = isFolder ? checkpointName(names) : path.basename(source);
    return await Promise.all(
      (checkpoint === undefined ? [] : modelFiles(names, checkpoint)).map(async (name) => {
        const real = await realpath(path.join(folder, name));
        return { name, path: real, bytes: (await stat(real)).size };
      }),
    );
  } catch (error) {
    throw unreadable(source, error);
  }
}
