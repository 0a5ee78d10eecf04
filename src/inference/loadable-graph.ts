import { weightsDigest } from '../model/content-digest.js';
import type { EncoderGraph } from '../model/graph/encoder.js';
import type { Model } from '../model/model.js';
import { reducedWeights } from '../model/reduced-weights.js';
import type { LoadableGraph } from './backend.js';

/**
 * A graph of `model` with the folder of its weights; reduced ones are written if they are not there.
 * @throws what {@link reducedWeights} throws.
 */
export async function loadableGraph(
  { checkpoint, weightsFolder }: Model,
  { bytes, reduced }: EncoderGraph,
  cacheDir: string,
): Promise<LoadableGraph> {
  if (reduced === undefined) return { bytes, weightsFolder };
  return { bytes, weightsFolder: await reducedWeights(reduced, await weightsDigest(checkpoint, cacheDir), cacheDir) };
}
