import path from 'node:path';
import { ModelError } from '../contract/failures.js';
import { sha256OfFile } from '../io/local-store.js';
import { damaged } from './checkpoint/damaged.js';
import { checkpointDigest } from './checkpoint/digest.js';
import { assertFinite } from './checkpoint/finite.js';
import { openCheckpoint } from './checkpoint/open.js';
import type { Checkpoint } from './checkpoint/types.js';
import { buildClassifier } from './graph/classifier.js';
import { isDnabert2 } from './graph/dnabert2.js';
import { isEsm2 } from './graph/esm2.js';
import { openModel } from './model.js';
import { readModelRecord } from './store/record.js';

/** Where the classifier's graph would find its weights; it is not run here. */
const locate = path.basename;

/**
 * Checks an encoder or classifier as loading it would, and says what it is.
 * @param source its folder or checkpoint file.
 * @param load also reads all weights: against the checksums that the file or our record of the download has, and for NaN
 *   and infinity.
 * @throws DamagedCheckpoint when its bytes are wrong or missing; ModelError when it is not a model of ours.
 */
export async function checkCheckpoint(
  source: string,
  { load, cacheDir }: { load: boolean; cacheDir: string },
): Promise<string> {
  const checkpoint = await openCheckpoint(source);
  const what = await describe(source, checkpoint, cacheDir);
  if (load) {
    await checkpointDigest(checkpoint);
    await compareWithRecord(source);
    await assertFinite(checkpoint);
  }
  return what;
}

async function describe(source: string, checkpoint: Checkpoint, cacheDir: string): Promise<string> {
  if (isDnabert2(checkpoint) || isEsm2(checkpoint)) {
    const { kind, dims } = await openModel(source, cacheDir);
    return `${kind}, ${dims.layers} layers, ${dims.hidden} wide`;
  }
  if ([...checkpoint.tensors.keys()].some((name) => name.endsWith('hidden_layer.weight'))) {
    return `classifier of ${buildClassifier(checkpoint, locate).inputSize} features`;
  }
  throw new ModelError({
    what: 'neither an encoder (DNABERT-2, DNABERT-S, ESM-2) nor a classifier of VirNucPro',
    where: source,
    next: 'Nothing here uses it',
  });
}

async function compareWithRecord(source: string): Promise<void> {
  for (const { name, sha256 } of (await readModelRecord(source))?.files ?? []) {
    if (sha256 === undefined || (await sha256OfFile(path.join(source, name))) === sha256) continue;
    throw damaged(`${name} has another digest than when it was downloaded`, source);
  }
}
