import { SLICE_BATCHES } from '../contract/defaults.js';

/** Ranges of `batches` manifest lines, each small enough for the history of one `embedStage` run. */
export function slices(batches: number): { from: number; to: number }[] {
  return Array.from({ length: Math.ceil(batches / SLICE_BATCHES) }, (_, i) => ({
    from: i * SLICE_BATCHES,
    to: Math.min((i + 1) * SLICE_BATCHES, batches),
  }));
}
