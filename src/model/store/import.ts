import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ModelError, OptionError } from '../../contract/failures.js';
import { toStorageError } from '../../io/local-store.js';
import { cacheFolderPath } from '../../io/user-folders.js';
import { version } from '../../version.js';
import { CATALOGUE, catalogueName, modelCache, modelPlaces, nameByLooks, unknownName } from '../catalogue.js';
import { type Model, openModel } from '../model.js';
import { type ModelFile, listModelFiles } from './files.js';
import { assertFreeSpace } from './free-space.js';
import { type LockOptions, withModelLock } from './lock.js';
import { writeModelRecord } from './record.js';

export interface ImportRequest {
  /** A model's folder or checkpoint file. */
  source: string;
  /** Short name or hub repository. Default: what its sizes and path say. */
  name?: string;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  lock?: Pick<LockOptions, 'onWait'>;
}

/** A model in our cache, and what came with it. */
export interface Imported {
  name: string;
  path: string;
  files: ModelFile[];
  /** Bytes that had to be copied; the others are hard links. */
  copied: number;
}

/**
 * Puts a model that was brought from elsewhere into our cache: its files are hard-linked, or copied where that is not
 * possible. Its folder appears when it is complete and opens as what it should be.
 * @throws ModelError when it is not that model; OptionError when its name must be said; StorageError when there is no room.
 */
export async function importModel({ source, name, env, signal, lock }: ImportRequest): Promise<Imported> {
  const cacheDir = cacheFolderPath(env);
  const given = name === undefined ? undefined : catalogueName(name);
  if (name !== undefined && given === undefined) throw unknownName(name);
  const model = await openModel(source, cacheDir, given === undefined ? undefined : CATALOGUE[given]!.expected);
  const known = given ?? nameByLooks({ kind: model.kind, ...model.dims }, source) ?? refuseNameless(model);
  const target = path.join(modelCache(env), known);
  const lockFile = path.join(modelCache(env), `.${known}.lock`);
  return withModelLock(lockFile, { ...lock, ...(signal && { signal }) }, async (held) => {
    await refusePresent(known, env);
    const files = await listModelFiles(source);
    const staging = importFolder(known, env);
    try {
      await rm(staging, { recursive: true, force: true });
      await mkdir(staging);
      const copied = await linkOrCopy(files, staging, signal);
      const { digest } = await openModel(staging, cacheDir, CATALOGUE[known]!.expected);
      if (digest !== model.digest) throw changedMeanwhile(source);
      await writeModelRecord(staging, {
        name: known,
        source: path.resolve(source),
        date: new Date().toISOString(),
        virnucpro: version,
        files: files.map((file) => ({ name: file.name, bytes: file.bytes })),
      });
      await held.confirm();
      await rename(staging, target);
      return { name: known, path: target, files, copied };
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      throw toStorageError(error, staging);
    }
  });
}

/** Where an import collects a model's files. */
export function importFolder(name: string, env: NodeJS.ProcessEnv): string {
  return path.join(modelCache(env), `.import-${name}`);
}

/** Hard links, all that can be; then room is looked for, and the others are copied. Returns the bytes copied. */
async function linkOrCopy(files: readonly ModelFile[], folder: string, signal?: AbortSignal): Promise<number> {
  const others: ModelFile[] = [];
  for (const file of files) {
    // Other disks, other users' files, file systems without links.
    await link(file.path, path.join(folder, file.name)).catch(() => others.push(file));
  }
  const bytes = others.reduce((sum, file) => sum + file.bytes, 0);
  await assertFreeSpace(folder, bytes);
  for (const file of others) {
    signal?.throwIfAborted();
    const copy = path.join(folder, file.name);
    await copyFile(file.path, copy, constants.COPYFILE_FICLONE);
    const handle = await open(copy, 'r');
    await handle.sync().finally(() => handle.close());
  }
  return bytes;
}

async function refusePresent(name: string, env: NodeJS.ProcessEnv): Promise<void> {
  const place = (await modelPlaces(name, env)).find(({ kind }) => kind === 'cache');
  if (!place?.present) return;
  throw new ModelError({
    what: `model ${name} is already in our cache`,
    where: place.path,
    next: `To replace it, run virnucpro models rm ${name} first`,
  });
}

function refuseNameless({ kind, dims, checkpoint }: Model): never {
  throw new OptionError({
    what: `cannot tell which model it is (${kind}, hidden ${dims.hidden}, ${dims.layers} layers)`,
    where: checkpoint.source,
    next: `Say it with --name: ${Object.keys(CATALOGUE).join(', ')}. Models of your own are used by path and not imported`,
  });
}

function changedMeanwhile(source: string): ModelError {
  return new ModelError({
    what: 'the model changed while it was imported',
    where: source,
    next: 'Repeat the command when its files are complete',
  });
}
