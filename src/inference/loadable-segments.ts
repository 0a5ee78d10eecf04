import { weightsDigest } from '../model/content-digest.js';
import type { EncoderGraph } from '../model/graph/encoder.js';
import type { Model } from '../model/model.js';
import { reducedWeights } from '../model/reduced-weights.js';
import type { LoadableSegment } from './segmented-session.js';

/**
 * A graph of `model` in up to `count` segments with the folder of its weights; reduced ones are written if they are not there.
 * @throws what {@link reducedWeights} throws.
 */
export async function loadableSegments(
  { checkpoint, weightsFolder }: Model,
  { segments, reduced }: EncoderGraph,
  cacheDir: string,
  count: number,
): Promise<LoadableSegment[]> {
  const folder =
    reduced === undefined
      ? weightsFolder
      : await reducedWeights(reduced, await weightsDigest(checkpoint, cacheDir), cacheDir);
  return segments(count).map((segment) => ({ ...segment, weightsFolder: folder }));
}
