import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../contract/failures.js';
import { cacheFolderPath, sharedCacheFolderPath } from '../io/user-folders.js';
import type { ExpectedModel } from './model.js';

/** A model that can be named instead of its path. */
export interface CataloguedModel extends ExpectedModel {
  /** Repository on the Hugging Face hub. */
  repo: string;
}

function dnabert(repo: string): CataloguedModel {
  return { repo, kind: 'dnabert2', hidden: 768, layers: 12, heads: 12 };
}

function esm2(size: string, hidden: number, layers: number, heads: number): CataloguedModel {
  return { repo: `facebook/esm2_t${layers}_${size}_UR50D`, kind: 'esm2', hidden, layers, heads };
}

/** Models by their short name. VirNucPro's classifiers were trained on `dnabert-s` and `esm2-3b`. */
export const CATALOGUE: Readonly<Record<string, CataloguedModel>> = {
  'dnabert-s': dnabert('zhihan1996/DNABERT-S'),
  'dnabert-2': dnabert('zhihan1996/DNABERT-2-117M'),
  'esm2-8m': esm2('8M', 320, 6, 20),
  'esm2-35m': esm2('35M', 480, 12, 20),
  'esm2-150m': esm2('150M', 640, 30, 20),
  'esm2-650m': esm2('650M', 1280, 33, 20),
  'esm2-3b': esm2('3B', 2560, 36, 40),
  'esm2-15b': esm2('15B', 5120, 48, 40),
};

/** A model's place, and what it must be when it was asked for by name. */
export interface ResolvedModel {
  path: string;
  expected?: ExpectedModel;
}

/**
 * Finds a model. A path is taken as it is; a name of the {@link CATALOGUE} or its hub repository is looked up, in this
 * order, in $VIRNUCPRO_MODELS/NAME, our cache folder's models/NAME, and the Hugging Face hub cache. No network.
 * @throws ModelError that says where it looked and how to get the model.
 */
export async function resolveModel(nameOrPath: string, env: NodeJS.ProcessEnv): Promise<ResolvedModel> {
  if (await isThere(nameOrPath)) return { path: nameOrPath };
  const wanted = nameOrPath.toLowerCase();
  const found = Object.entries(CATALOGUE).find(([key, { repo }]) => key === wanted || repo.toLowerCase() === wanted);
  if (found === undefined) {
    throw new ModelError({
      what: `no model '${nameOrPath}': no such path, and the known names are ${Object.keys(CATALOGUE).join(', ')}`,
      next: 'Check the spelling, or give the path of a checkpoint folder or file',
    });
  }
  const [name, { repo, ...expected }] = found;
  const models = env['VIRNUCPRO_MODELS'];
  const hub = path.join(hubCache(env), `models--${repo.replace('/', '--')}`);
  const places = [
    ...(models ? [path.join(models, name)] : []),
    path.join(cacheFolderPath(env), 'models', name),
    await hubSnapshot(hub),
  ];
  for (const place of places) if (place !== undefined && (await isThere(place))) return { path: place, expected };
  throw new ModelError({
    what: `model ${name} (${repo}) is not on this machine`,
    where: [...places.slice(0, -1), hub].join(', '),
    next: `Download it with 'hf download ${repo}', or set VIRNUCPRO_MODELS to a folder that holds ${name}/`,
  });
}

function hubCache(env: NodeJS.ProcessEnv): string {
  return (
    env['HF_HUB_CACHE'] || path.join(env['HF_HOME'] || path.join(sharedCacheFolderPath(env), 'huggingface'), 'hub')
  );
}

/** The files of a repository's main revision, where the hub's own tools have put them. */
async function hubSnapshot(repository: string): Promise<string | undefined> {
  const revision = await readFile(path.join(repository, 'refs', 'main'), 'utf8').catch(() => undefined);
  return revision === undefined ? undefined : path.join(repository, 'snapshots', revision.trim());
}

function isThere(place: string): Promise<boolean> {
  return access(place).then(
    () => true,
    () => false,
  );
}
