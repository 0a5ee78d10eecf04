import { VirnucproError } from '../../contract/failures.js';
import { cacheFolderPath } from '../../io/user-folders.js';
import { CATALOGUE, type ModelPlace, modelPlaces } from '../catalogue.js';
import { openModel } from '../model.js';
import { listReducedByModel } from '../reduced-cache.js';
import { listModelFiles } from './files.js';
import { modelRevision } from './revision.js';

/** A catalogued model and where it is. */
export interface ListedModel {
  name: string;
  repo: string;
  present: boolean;
  place?: ModelPlace['kind'];
  path?: string;
  /** What its files take; of an absent model about what they would. */
  bytes: number;
  /** What its reduced weights take in our cache, in all precisions. */
  reducedBytes: number;
  /** Commit, where it is known. */
  revision?: string;
  /** Why it cannot be used though it is there. */
  problem?: string;
}

/** Every catalogued model, as `predict` would find it by name. */
export async function listModels(env: NodeJS.ProcessEnv): Promise<ListedModel[]> {
  const reduced = await listReducedByModel(env);
  return Promise.all(
    Object.keys(CATALOGUE).map((name) => {
      const made = reduced.filter(({ model }) => model === name);
      return listModel(
        name,
        made.reduce((sum, { bytes }) => sum + bytes, 0),
        env,
      );
    }),
  );
}

async function listModel(name: string, reducedBytes: number, env: NodeJS.ProcessEnv): Promise<ListedModel> {
  const { repo, expected, approximateBytes } = CATALOGUE[name]!;
  const place = (await modelPlaces(name, env)).find(({ present }) => present);
  if (place === undefined) return { name, repo, present: false, bytes: approximateBytes, reducedBytes };
  const found: ListedModel = {
    name,
    repo,
    present: true,
    place: place.kind,
    path: place.path,
    bytes: 0,
    reducedBytes,
  };
  const revision = await modelRevision(place.path);
  if (revision !== undefined) found.revision = revision;
  try {
    found.bytes = (await listModelFiles(place.path)).reduce((sum, { bytes }) => sum + bytes, 0);
    await openModel(place.path, cacheFolderPath(env), expected);
  } catch (error) {
    if (!(error instanceof VirnucproError)) throw error;
    found.problem = error.what;
  }
  return found;
}
