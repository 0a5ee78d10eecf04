import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ModelError, OptionError } from '../contract/failures.js';
import { exists } from '../io/exists.js';
import { cacheFolderPath, sharedCacheFolderPath } from '../io/user-folders.js';
import type { ExpectedModel } from './model.js';

/** A model that can be named instead of its path. */
export interface CataloguedModel {
  /** Repository on the Hugging Face hub. */
  repo: string;
  /** What it must turn out to be. */
  expected: ExpectedModel;
  /** About what its float32 weights take. */
  approximateBytes: number;
}

function dnabert(repo: string): CataloguedModel {
  return { repo, expected: { kind: 'dnabert2', hidden: 768, layers: 12, heads: 12 }, approximateBytes: 0.47e9 };
}

function esm2(size: string, hidden: number, layers: number, heads: number): CataloguedModel {
  return {
    repo: `facebook/esm2_t${layers}_${size}_UR50D`,
    expected: { kind: 'esm2', hidden, layers, heads },
    // A transformer layer has 12 hidden² weights; embeddings and norms are little beside that.
    approximateBytes: 4 * 12 * hidden ** 2 * layers,
  };
}

/**
 * Models by their short name. VirNucPro's classifiers were trained on `dnabert-s` and `esm2-3b`; it names no revision of
 * them, so none is pinned here: a pull takes the hub's `main` or `--revision`, and records the commit.
 */
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

/** The short name for a short name or hub repository in any case, if the {@link CATALOGUE} has it. */
export function catalogueName(nameOrRepo: string): string | undefined {
  const wanted = nameOrRepo.toLowerCase();
  return Object.keys(CATALOGUE).find((name) => name === wanted || CATALOGUE[name]!.repo.toLowerCase() === wanted);
}

/**
 * Which catalogued model one of these sizes is: the only one of the sizes, else the only one whose name or repository
 * is in its path. DNABERT-S and DNABERT-2 differ in nothing else.
 */
export function nameByLooks(looks: ExpectedModel, source: string): string | undefined {
  const folders = path.resolve(source).toLowerCase().split(path.sep);
  const alike = Object.entries(CATALOGUE).filter(([, { expected }]) =>
    (['kind', 'hidden', 'layers', 'heads'] as const).every((key) => expected[key] === looks[key]),
  );
  const named = alike.filter(([name, { repo }]) =>
    [name, path.basename(repo), hubFolder(repo)].some((folder) => folders.includes(folder.toLowerCase())),
  );
  return [alike, named].find((found) => found.length === 1)?.[0]?.[0];
}

/** A model's place, and what it must be when it was asked for by name. */
export interface ResolvedModel {
  path: string;
  expected?: ExpectedModel;
}

/**
 * Finds a model. A path is taken as it is; a name of the {@link CATALOGUE} or its hub repository is looked up in its
 * {@link modelPlaces}. No network.
 * @throws ModelError that says where it looked and how to get the model; OptionError when there is no such name or path.
 */
export async function resolveModel(nameOrPath: string, env: NodeJS.ProcessEnv): Promise<ResolvedModel> {
  if (await exists(nameOrPath)) return { path: nameOrPath };
  const name = catalogueName(nameOrPath);
  if (name === undefined) {
    throw unknownName(
      nameOrPath,
      'no such path, and ',
      'Check the spelling, or give the path of a checkpoint folder or file',
    );
  }
  const { repo, expected } = CATALOGUE[name]!;
  const places = await modelPlaces(name, env);
  const found = places.find(({ present }) => present);
  if (found !== undefined) return { path: found.path, expected };
  throw new ModelError({
    what: `model ${name} (${repo}) is not on this machine`,
    where: places.map((place) => place.path).join(', '),
    next:
      `Get it with 'virnucpro models pull ${name}' or, without a network, 'virnucpro models import DIR'; ` +
      `or set VIRNUCPRO_MODELS to a folder that holds ${name}/`,
  });
}

/** The error for a name that the {@link CATALOGUE} does not have. */
export function unknownName(
  name: string,
  also = '',
  next = 'Check the spelling; models of your own are used by path, as in --dna-model DIR',
): OptionError {
  return new OptionError({
    what: `no model '${name}': ${also}the known names are ${Object.keys(CATALOGUE).join(', ')}`,
    next,
  });
}

/** Where a named model may lie. */
export interface ModelPlace {
  kind: 'VIRNUCPRO_MODELS' | 'cache' | 'hub';
  /** Its folder; of the hub's cache, where that does not have it, the repository's. */
  path: string;
  /** All that belongs to it lies in here: of the hub's cache the repository, since its folder holds links only. */
  root: string;
  present: boolean;
}

/**
 * The places of a catalogued model, in the order in which they are looked up: $VIRNUCPRO_MODELS/NAME, our cache folder's
 * models/NAME, and the Hugging Face hub's cache.
 */
export async function modelPlaces(name: string, env: NodeJS.ProcessEnv): Promise<ModelPlace[]> {
  const models = env['VIRNUCPRO_MODELS'];
  const repository = path.join(hubCache(env), hubFolder(CATALOGUE[name]!.repo));
  const snapshot = await hubSnapshot(repository);
  const places: (Pick<ModelPlace, 'kind' | 'path'> & { root?: string })[] = [
    ...(models ? [{ kind: 'VIRNUCPRO_MODELS' as const, path: path.join(models, name) }] : []),
    { kind: 'cache', path: path.join(modelCache(env), name) },
    { kind: 'hub', path: snapshot ?? repository, root: repository },
  ];
  return Promise.all(
    places.map(async (place) => ({
      root: place.path,
      ...place,
      present: (place.kind !== 'hub' || snapshot !== undefined) && (await exists(place.path)),
    })),
  );
}

/** Where our own cache keeps models, each in a folder of its short name. */
export function modelCache(env: NodeJS.ProcessEnv): string {
  return path.join(cacheFolderPath(env), 'models');
}

function hubCache(env: NodeJS.ProcessEnv): string {
  return (
    env['HF_HUB_CACHE'] || path.join(env['HF_HOME'] || path.join(sharedCacheFolderPath(env), 'huggingface'), 'hub')
  );
}

function hubFolder(repo: string): string {
  return `models--${repo.replace('/', '--')}`;
}

/** The files of a repository's main revision, where the hub's own tools have put them. */
async function hubSnapshot(repository: string): Promise<string | undefined> {
  const revision = await readFile(path.join(repository, 'refs', 'main'), 'utf8').catch(() => undefined);
  return revision === undefined ? undefined : path.join(repository, 'snapshots', revision.trim());
}
