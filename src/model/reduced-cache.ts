import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { cacheFolderPath } from '../io/user-folders.js';
import { CATALOGUE, modelPlaces } from './catalogue.js';

/** Beside the file, written after it: the file is whole when it has this digest. */
export const SEAL = 'weights.json';

const sealSchema = z.object({
  /** SHA-256 of the checkpoint's weights that it was made of. */
  source: z.string(),
  /** Real paths of the checkpoint's files. Another checkpoint with the same weights may use it, too. */
  files: z.array(z.string()),
  bytes: z.int(),
  sha256: z.string(),
});

/** What is known of a file of reduced weights. */
export type Seal = z.infer<typeof sealSchema>;

/** A folder of the cache with one file of reduced weights. */
export interface ReducedFolder {
  path: string;
  /** What it takes on the disk. */
  bytes: number;
  /** Undefined while the file is being written, or if that was never finished. */
  seal: Seal | undefined;
}

/** Where our cache keeps reduced weights, each file in a folder of its own. */
export function reducedCache(cacheDir: string): string {
  return path.join(cacheDir, 'reduced');
}

/** @throws whatever keeps it from being read, or from being a seal. */
export async function readSeal(folder: string): Promise<Seal> {
  return sealSchema.parse(JSON.parse(await readFile(path.join(folder, SEAL), 'utf8')));
}

/** Everything that the cache holds of reduced weights, in the order of its names. */
export async function listReduced(cacheDir: string): Promise<ReducedFolder[]> {
  const root = reducedCache(cacheDir);
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(
    names.sort().map(async (name) => {
      const folder = path.join(root, name);
      const files = await readdir(folder).catch(() => []);
      const sizes = files.map((file) =>
        stat(path.join(folder, file)).then(
          ({ size }) => size,
          () => 0,
        ),
      );
      const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      return { path: folder, bytes, seal: await readSeal(folder).catch(() => undefined) };
    }),
  );
}

/** {@link listReduced} with the catalogued model in one of whose places each was made, if it was in one. */
export async function listReducedByModel(
  env: NodeJS.ProcessEnv,
): Promise<(ReducedFolder & { model: string | undefined })[]> {
  const roots: { name: string; root: string }[] = [];
  for (const name of Object.keys(CATALOGUE)) {
    for (const place of await modelPlaces(name, env)) roots.push({ name, root: (await real(place.root)) + path.sep });
  }
  return (await listReduced(cacheFolderPath(env))).map((folder) => {
    const files = folder.seal?.files ?? [];
    return { ...folder, model: roots.find(({ root }) => files.some((file) => file.startsWith(root)))?.name };
  });
}

/** Links resolved as far as there is something to resolve: what was removed is still known by its path. */
async function real(folder: string): Promise<string> {
  return realpath(folder).catch(async () => {
    const parent = path.dirname(folder);
    return parent === folder ? folder : path.join(await real(parent), path.basename(folder));
  });
}
