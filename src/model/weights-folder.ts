import { createHash } from 'node:crypto';
import { link, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../contract/failures.js';
import type { Checkpoint } from './checkpoint/types.js';

/** The one real folder in which onnxruntime finds a checkpoint's files, and each file's name there. */
export interface WeightsFolder {
  folder: string;
  locate: (file: string) => string;
}

/**
 * onnxruntime reads weights from one folder and follows no symlinks. Mostly that is the folder where the files are;
 * shards whose real files lie in several folders are hard-linked into our cache, never copied.
 * @param cacheDir our cache folder.
 * @throws ModelError when such shards cannot be hard-linked.
 */
export async function weightsFolder(checkpoint: Checkpoint, cacheDir: string): Promise<WeightsFolder> {
  const { files } = checkpoint;
  const folders = new Set(files.map((file) => path.dirname(file)));
  if (folders.size === 1) return { folder: path.dirname(files[0]!), locate: (file) => path.basename(file) };

  const digest = createHash('sha256').update(files.join('\0')).digest('hex').slice(0, 16);
  const folder = path.join(cacheDir, 'shards', digest);
  const locate = (file: string): string => `${files.indexOf(file)}-${path.basename(file)}`;
  try {
    await mkdir(folder, { recursive: true });
    for (const file of files) await link(file, path.join(folder, locate(file))).catch(unlessPresent);
  } catch (error) {
    throw new ModelError({
      what: `shards of one checkpoint lie in ${folders.size} folders and cannot be hard-linked into ${folder}`,
      where: checkpoint.source,
      next: 'Put all files of the checkpoint into one folder',
      cause: error,
    });
  }
  return { folder, locate };
}

function unlessPresent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
