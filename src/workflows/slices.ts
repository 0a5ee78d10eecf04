import { SLICE_BATCHES, SLICE_LANES } from '../contract/defaults.js';

/**
 * Ranges of `batches` manifest lines: as even as can be, each small enough for the history of one `embedStage` run, and
 * in number a multiple of `window`, so that all slices that run side by side have work until the stage's end.
 */
export function slices(batches: number, window: number): { from: number; to: number }[] {
  const rounds = Math.ceil(batches / (window * SLICE_BATCHES));
  const count = Math.min(batches, rounds * window);
  const start = (slice: number): number => Math.floor((slice * batches) / count);
  return Array.from({ length: count }, (_, slice) => ({ from: start(slice), to: start(slice + 1) }));
}

/** Lanes of one of `count` slices that share `lanes`: as even as can be, and no more than a slice takes. */
export function laneShare(lanes: number, count: number, place: number): number {
  return Math.min(SLICE_LANES, Math.floor(lanes / count) + (place < lanes % count ? 1 : 0));
}
