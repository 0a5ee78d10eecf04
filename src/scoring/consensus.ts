import type { Prediction } from './classify.js';
import { chunkOfFrame } from '../sequence/ids.js';

/** One row of prediction_results_highestscore.csv: a chunk's best scores over its called frames. */
export interface ChunkCall {
  /** Chunk id, e.g. `contig_chunk_1`. */
  id: string;
  /** Highest P(others) of its frames. */
  maxScore1: number;
  /** Highest P(virus) of its frames. */
  maxScore2: number;
  /** How many frames were called. */
  frames: number;
}

/** Best scores by chunk, gathered prediction by prediction. */
export class Consensus {
  private readonly calls = new Map<string, ChunkCall>();

  add({ id: frameId, score1, score2 }: Prediction): void {
    const id = chunkOfFrame(frameId);
    const call = this.calls.get(id);
    if (call === undefined) {
      this.calls.set(id, { id, maxScore1: score1, maxScore2: score2, frames: 1 });
    } else {
      call.maxScore1 = Math.max(call.maxScore1, score1);
      call.maxScore2 = Math.max(call.maxScore2, score2);
      call.frames += 1;
    }
  }

  /** Every chunk with a called frame, sorted by id in code-point order, as the original's groupby does. */
  sorted(): ChunkCall[] {
    return [...this.calls.values()].sort((a, b) => compareCodePoints(a.id, b.id));
  }
}

/** A tie is a virus here, although the label of a tied frame is `others`: both as the original has it. */
export function isVirus(call: ChunkCall): boolean {
  return call.maxScore2 >= call.maxScore1;
}

/** Order of Unicode code points (as Python sorts), not of UTF-16 units: astral characters come last. */
export function compareCodePoints(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return Number(isSurrogate(x)) - Number(isSurrogate(y)) || x - y;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
