import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../../contract/failures.js';
import { toStorageError } from '../../io/local-store.js';
import { cacheFolderPath } from '../../io/user-folders.js';
import { version } from '../../version.js';
import { CATALOGUE, catalogueName, modelCache, modelPlaces, unknownName } from '../catalogue.js';
import { checkpointName, modelFiles } from '../checkpoint/file-names.js';
import { openModel } from '../model.js';
import { bytesThere, downloadFile } from './download.js';
import { assertFreeSpace } from './free-space.js';
import { type Hub, type HubFile, type HubRepository, fileUrl, openHub, readRepository } from './hub.js';
import { type LockOptions, type ModelLock, withModelLock } from './lock.js';
import { type Bearing, withPatience } from './patience.js';
import { readModelRecord, writeModelRecord } from './record.js';
import { modelRevision } from './revision.js';

export interface PullRequest extends Bearing {
  /** Short name or hub repository of a catalogued model. */
  name: string;
  /** Branch, tag or commit. Default: whatever is here, else the hub's `main`. */
  revision?: string;
  env: NodeJS.ProcessEnv;
  lock?: Pick<LockOptions, 'onWait' | 'beatMs' | 'staleMs'>;
  /** Called before the first byte is asked for. */
  onFiles?: (files: readonly HubFile[], revision: string) => void;
  onBytes?: (file: HubFile, done: number) => void;
}

/** Where a model is, and how it came there. */
export interface Pulled {
  name: string;
  path: string;
  /** Commit, where it is known. */
  revision?: string;
  /** Was here before. */
  already: boolean;
}

/**
 * Makes sure that a catalogued model is on this machine: downloads the files that loading it takes into our cache unless
 * one of its {@link modelPlaces} has it. An interrupted pull goes on where it stopped; the model's folder appears when
 * all its files are there, have the digests that the hub lists, and open as the model they should be.
 * @throws ModelError when it cannot be had as it should be; StorageError when there is no room; the signal's reason.
 */
export async function pullModel(request: PullRequest): Promise<Pulled> {
  const name = catalogueName(request.name);
  if (name === undefined) throw unknownName(request.name);
  const { env, signal } = request;
  const there = await findPulled(name, request);
  if (there !== undefined) return there;
  const hub = openHub(env);
  const lockFile = path.join(modelCache(env), `.${name}.lock`);
  return withModelLock(lockFile, { ...request.lock, ...(signal && { signal }) }, async (lock) => {
    const arrived = await findPulled(name, request);
    return arrived ?? download(name, hub, lock, request);
  });
}

/** The model where it is looked up, if that is what was asked for. */
async function findPulled(name: string, { env, revision }: PullRequest): Promise<Pulled | undefined> {
  const place = (await modelPlaces(name, env)).find(({ present }) => present);
  if (place === undefined) return undefined;
  try {
    await openModel(place.path, cacheFolderPath(env), CATALOGUE[name]!.expected);
  } catch (error) {
    if (!(error instanceof ModelError) || place.kind === 'VIRNUCPRO_MODELS') throw error;
    // The hub's tools may have left half a model there. Ours is looked up before it.
    if (place.kind === 'hub') return undefined;
    const { what, where = place.path } = error;
    throw new ModelError({ what, where, next: `Run virnucpro models rm ${name}, then pull it again`, cause: error });
  }
  const commit = await modelRevision(place.path);
  const asked = place.kind === 'hub' ? 'main' : (await readModelRecord(place.path))?.asked;
  if (revision === undefined || revision === asked || (commit ?? '').startsWith(revision)) {
    return { name, path: place.path, already: true, ...(commit !== undefined && { revision: commit }) };
  }
  if (place.kind === 'hub') return undefined;
  throw new ModelError({
    what: `model ${name} is here at revision ${commit ?? 'unknown'}, not ${revision}`,
    where: place.path,
    next: place.kind === 'cache' ? `Run virnucpro models rm ${name} first` : 'Move it away, or unset VIRNUCPRO_MODELS',
  });
}

async function download(name: string, hub: Hub, lock: ModelLock, request: PullRequest): Promise<Pulled> {
  const { env, signal, onFiles, onBytes } = request;
  const { repo, expected } = CATALOGUE[name]!;
  const asked = request.revision ?? 'main';
  const where = `${hub.endpoint}/${repo}`;
  const repository = await withPatience(() => readRepository(hub, repo, asked, signal), { where }, request);
  const { revision } = repository;
  const files = filesToPull(repository, where);
  const folder = await stagingFolder(pullFolder(name, env), revision);
  const there = await Promise.all(files.map((file) => bytesThere(path.join(folder, file.name))));
  await assertFreeSpace(folder, sum(files.map(({ bytes }) => bytes)) - sum(there));
  onFiles?.(files, revision);
  for (const file of files) {
    await downloadFile(hub, fileUrl(hub, repository, file.name), file, path.join(folder, file.name), {
      ...request,
      onBytes: (done) => onBytes?.(file, done),
      mayWrite: () => lock.confirm(),
    });
  }
  await openModel(folder, cacheFolderPath(env), expected);
  await writeModelRecord(folder, {
    name,
    source: where,
    revision,
    asked,
    date: new Date().toISOString(),
    virnucpro: version,
    files: files.map(({ name: file, bytes, sha256 }) => ({
      name: file,
      bytes,
      ...(sha256 !== undefined && { sha256 }),
    })),
  });
  await lock.confirm();
  const target = path.join(modelCache(env), name);
  await rename(folder, target);
  await rm(pullFolder(name, env), { recursive: true, force: true });
  return { name, path: target, revision, already: false };
}

/** Where a pull collects a model's files, a folder a commit. */
export function pullFolder(name: string, env: NodeJS.ProcessEnv): string {
  return path.join(modelCache(env), `.pull-${name}`);
}

/** The folder of one commit, without what earlier pulls left of others. */
async function stagingFolder(parent: string, revision: string): Promise<string> {
  const folder = path.join(parent, revision);
  try {
    await mkdir(folder, { recursive: true });
    const others = (await readdir(parent)).filter((name) => name !== revision);
    await Promise.all(others.map((name) => rm(path.join(parent, name), { recursive: true })));
    return folder;
  } catch (error) {
    throw toStorageError(error, folder);
  }
}

function filesToPull({ files, revision }: HubRepository, where: string): HubFile[] {
  const names = files.map(({ name }) => name);
  const checkpoint = checkpointName(names);
  if (checkpoint !== undefined && path.basename(checkpoint) === checkpoint) {
    return modelFiles(names, checkpoint).map((name) => files.find((file) => file.name === name)!);
  }
  throw new ModelError({
    what: `revision ${revision} lists no checkpoint with size and SHA-256`,
    where,
    next: 'Check --revision, and HF_ENDPOINT if it names a mirror',
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
