import { readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../../contract/failures.js';
import { temporaryName, toStorageError } from '../../io/local-store.js';
import { CATALOGUE, catalogueName, modelCache, modelPlaces, unknownName } from '../catalogue.js';
import { importFolder } from './import.js';
import { listReducedByModel } from '../reduced-cache.js';
import { type LockOptions, withModelLock } from './lock.js';
import { pullFolder } from './pull.js';

/** What a removal did to the disk. */
export interface Removed {
  /** Undefined where our cache held reduced weights alone, of a model that another place has. */
  path: string | undefined;
  /** Bytes that are free now. */
  freed: number;
  /** Of them, of reduced weights. */
  reduced: number;
  /** Bytes that stay because another folder has the same file, as after an import. */
  kept: number;
}

/**
 * Takes a model out of our cache, also what an unfinished pull or import left of it, and the reduced weights that were
 * made of it in whichever of its places.
 * @throws ModelError when it is not there, naming the path when another place has it: those are not ours to remove.
 */
export async function removeModel(
  nameOrRepo: string,
  env: NodeJS.ProcessEnv,
  lock: Pick<LockOptions, 'onWait' | 'signal'> = {},
): Promise<Removed> {
  const name = catalogueName(nameOrRepo);
  if (name === undefined) throw unknownName(nameOrRepo);
  const places = await modelPlaces(name, env);
  const folder = path.join(modelCache(env), name);
  return withModelLock(path.join(modelCache(env), `.${name}.lock`), lock, async () => {
    const folders: string[] = [];
    for (const one of [folder, pullFolder(name, env), importFolder(name, env)])
      if (await isFolder(one)) folders.push(one);
    const reduced = (await listReducedByModel(env)).filter(({ model }) => model === name);
    if (folders.length === 0 && reduced.length === 0) {
      const byHand = places.find(({ kind, present }) => kind !== 'cache' && present)?.root;
      throw new ModelError({
        what: byHand === undefined ? `model ${name} is not on this machine` : `model ${name} is not in our cache`,
        where: byHand ?? folder,
        next:
          byHand === undefined
            ? `Nothing to do; virnucpro models list says what there is (${CATALOGUE[name]!.repo})`
            : 'That folder is not ours: remove it by hand, if nothing else uses it',
      });
    }
    const removed: Removed = { path: folders.length === 0 ? undefined : folder, freed: 0, reduced: 0, kept: 0 };
    for (const one of reduced) await removeFolder(one.path, removed);
    removed.reduced = removed.freed;
    for (const one of folders) await removeFolder(one, removed);
    return removed;
  });
}

/** Out of sight first, so that nobody opens half a model. */
async function removeFolder(folder: string, removed: Removed): Promise<void> {
  const aside = temporaryName(folder);
  try {
    await rename(folder, aside);
    for (const entry of await readdir(aside, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const { size, nlink } = await stat(path.join(entry.parentPath, entry.name));
      if (nlink > 1) removed.kept += size;
      else removed.freed += size;
    }
    await rm(aside, { recursive: true });
  } catch (error) {
    throw toStorageError(error, folder);
  }
}

function isFolder(folder: string): Promise<boolean> {
  return stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
