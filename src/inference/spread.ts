import type { DeviceKind } from '../contract/devices.js';
import type { ModelRef } from '../contract/models.js';
import { defaultTokensPerCall, FLOPS_PER_THREAD } from './batcher.js';

/** How a lane's model uses its CPU threads: calls go through segments of the model one after the other, several at a time. */
export interface Spread {
  /** Parts that the model's layers are cut into, each with a session and a thread of its own. */
  segments: number;
  /** Calls that are computed at once, each in another segment. */
  calls: number;
  threadsPerCall: number;
  /** Tokens of a call, padding included, unless asked for otherwise. */
  tokensPerCall: number;
}

/** More calls at once than that would wait long for the first result, and take memory. */
const MOST_CALLS = 16;

/** A model's layers seldom divide by the calls: segments may be larger than their share by this much. */
const SLACK = 1.05;

/** Tokens of the longest usual sequence: the protein of a window of 500 bases. */
const SEQUENCE_TOKENS = 168;

/**
 * Longest time that a segment takes for a sequence, at {@link FLOPS_PER_THREAD}; a third of it on a core that is all ours. A
 * cancel waits for it.
 */
const SEGMENT_SECONDS = 6;

/**
 * Spreads a model over `threads` of a CPU: as many calls at once as there are threads, but for a limit of {@link MOST_CALLS}, of
 * layers and of `sequences`. One thread a call wastes nothing, where threads that share a call wait for each other at every
 * operator (docs/decisions/032-segments.md). Another device computes one call after the other.
 * @param sequences that there are to embed, if they are known to be few.
 */
export function spreadOver(
  threads: number,
  { layers, parameters }: Pick<ModelRef, 'layers' | 'parameters'>,
  device: DeviceKind = 'cpu',
  sequences = Infinity,
): Spread {
  const tokensFor = (ofCall: number): number => defaultTokensPerCall(parameters, ofCall, device);
  if (device !== 'cpu') return { segments: 1, calls: 1, threadsPerCall: threads, tokensPerCall: tokensFor(threads) };
  const most = Math.min(layers, MOST_CALLS);
  const layerSeconds = (2 * parameters * SEQUENCE_TOKENS) / layers / FLOPS_PER_THREAD;
  const layersEach = Math.min((SLACK * layers) / Math.min(threads, most), SEGMENT_SECONDS / layerSeconds);
  const fewest = Math.max(1, sequences);
  const threadsPerCall = Math.max(Math.ceil(threads / most), Math.floor(threads / fewest));
  return {
    segments: Math.ceil(layers / Math.max(1, Math.floor(layersEach))),
    calls: Math.min(Math.floor(threads / threadsPerCall), fewest),
    threadsPerCall,
    tokensPerCall: tokensFor(threadsPerCall),
  };
}
