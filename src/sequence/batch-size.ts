/** Fewest frames of an automatic file batch: below, the cost of orchestration shows. */
const SMALLEST = 200;
/** Most frames of an automatic file batch: the predecessor's file size; about 100 MB of ESM-2 3B embeddings. */
const LARGEST = 10_000;
/** Batches that a sample of middling size is cut into, so that many lanes share even one sample. */
const BATCHES = 64;

/**
 * Frames in a file batch of a sample: `ceil(frames / 64)`, at least 200 and at most 10,000. A function of the sample
 * alone, never of lanes, so that its batches stay the same on whatever hardware a run is resumed.
 */
export function batchSize(frames: number): number {
  return Math.min(Math.max(Math.ceil(frames / BATCHES), SMALLEST), LARGEST);
}
