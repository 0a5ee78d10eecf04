import { chunkSpan } from '../sequence/chunk.js';
import type { ScoredChunk } from './contig-call.js';

/** A stretch of a contig whose chunks look viral: a whole short contig, or a prophage in a long one. */
export interface ViralRegion {
  contig: string;
  /** Bases on the contig, 0-based, end excluded. */
  start: number;
  end: number;
  chunksViral: number;
  /** Chunks with a score in the region, viral or not. */
  chunksCalled: number;
  /** Mean over those of each chunk's highest P(virus). */
  meanPVirus: number;
}

/**
 * What a region goes on over between two viral chunks: most chunks of 500 bases have no open frame, even in phages (62 of
 * 98 of lambda), and one chunk that is not viral between viral ones is more often a mistake than an end.
 */
const BRIDGED = { bases: 5_000, chunksNotViral: 1 } as const;

/**
 * Merges a contig's viral chunks into regions: neighbours, and those with at most one called chunk and 5,000 bases
 * between them. A region starts and ends with a viral chunk.
 * @param chunks the called chunks in order of their numbers.
 */
export function viralRegions(
  contig: string,
  length: number,
  chunkSize: number,
  chunks: readonly ScoredChunk[],
): ViralRegion[] {
  const regions: ViralRegion[] = [];
  let members: ScoredChunk[] = [];
  let pending: ScoredChunk[] = [];
  let end = 0;
  const close = (): void => {
    if (members.length > 0)
      regions.push(toRegion(contig, members, chunkSpan(length, chunkSize, members[0]!.number).start, end));
    members = [];
  };
  for (const chunk of chunks) {
    if (!chunk.isVirus) {
      pending.push(chunk);
      continue;
    }
    const span = chunkSpan(length, chunkSize, chunk.number);
    if (pending.length > BRIDGED.chunksNotViral || span.start - end > BRIDGED.bases) close();
    if (members.length > 0) members.push(...pending);
    members.push(chunk);
    pending = [];
    end = span.end;
  }
  close();
  return regions;
}

function toRegion(contig: string, members: readonly ScoredChunk[], start: number, end: number): ViralRegion {
  const sum = members.reduce((total, { pVirus }) => total + pVirus, 0);
  return {
    contig,
    start,
    end,
    chunksViral: members.filter(({ isVirus }) => isVirus).length,
    chunksCalled: members.length,
    meanPVirus: sum / members.length,
  };
}
