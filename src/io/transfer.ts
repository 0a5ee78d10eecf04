import { stat } from 'node:fs/promises';
import path from 'node:path';
import { S3_PARTS } from '../contract/defaults.js';
import { ArtifactInvalid } from '../contract/failures.js';
import { atOnce } from './at-once.js';
import { toInputError } from './input.js';
import { LocalStore, sha256OfFile } from './local-store.js';
import { openStore } from './open-store.js';

/** Folder of what is not a result, in a run's root and in each sample's folder. */
const OWN_FOLDER = '.virnucpro';

/** The one file in it that belongs to the results: their digests. */
const PROOF = `${OWN_FOLDER}/finished.json`;

/** What starts the keys of inputs that were sent to a run's store. */
export const INPUTS = `${OWN_FOLDER}/inputs/`;

/** An input where every host of a run can read it. */
export interface UploadedInput {
  /** For `SampleSpec.input`: a uri, or a path where the store is a folder. */
  input: string;
  /** Hex SHA-256 of the file. */
  sha256: string;
}

/**
 * Puts an input file into a run's store, under its digest and its own name; not again when it is there.
 * @param root as `RunOptions.outputDir`.
 * @throws InputError when the file cannot be read; StorageError; the signal's reason.
 */
export async function uploadInput(root: string, file: string, signal?: AbortSignal): Promise<UploadedInput> {
  const store = openStore(root);
  try {
    const facts = { sha256: await sha256OfFile(file), bytes: (await stat(file)).size };
    signal?.throwIfAborted();
    const key = `${INPUTS}${facts.sha256.slice(0, 16)}/${path.basename(file)}`;
    if (!(await store.holds(key, facts))) await store.publish(key, file);
    signal?.throwIfAborted();
    return { input: store.locate(key), sha256: facts.sha256 };
  } catch (error) {
    throw toInputError(error, file);
  }
}

/**
 * Copies a run's result files (of kept embeddings, too) from its store into a folder: each whole, as its digest says, or not
 * at all. What is there already stays.
 * @param root as `RunOptions.outputDir`.
 * @returns their paths in the folder, sorted.
 * @throws StorageError; ArtifactInvalid for one that is damaged or gone; the signal's reason.
 */
export async function downloadResults(root: string, folder: string, signal?: AbortSignal): Promise<string[]> {
  const store = openStore(root);
  const results = (await store.list('')).filter(isResult);
  const target = new LocalStore(folder);
  await atOnce(S3_PARTS.atOnce, results, async (key) => {
    signal?.throwIfAborted();
    const file = await store.peek(key);
    if (file === undefined) {
      throw new ArtifactInvalid({
        what: 'this result is damaged, or it went away meanwhile',
        where: store.locate(key),
        next: 'Run predict again: what is damaged is made again',
      });
    }
    const facts = { sha256: await sha256OfFile(file), bytes: (await stat(file)).size };
    if (!(await target.holds(key, facts))) await target.publish(key, file);
  });
  return results;
}

function isResult(key: string): boolean {
  if (key.endsWith('/')) return false;
  return key === PROOF || key.endsWith(`/${PROOF}`) || !key.split('/').includes(OWN_FOLDER);
}
