import { InternalError } from '../contract/failures.js';

/** Id of a contig's `number`-th chunk, counted from 1. */
export function chunkId(contig: string, number: number): string {
  return `${contig}_chunk_${number}`;
}

/** The chunk a frame belongs to: the frame's id without its last two characters (`F1` to `R3`). */
export function chunkOfFrame(frame: string): string {
  return frame.slice(0, -2);
}

/** The contig a chunk belongs to: all before the last `_chunk_`, since a contig's own id may hold that too. */
export function contigOfChunk(chunk: string): string {
  const end = chunk.lastIndexOf('_chunk_');
  if (end < 0) throw new InternalError(`not the id of a chunk: ${chunk}`);
  return chunk.slice(0, end);
}

/** Number of a chunk within its contig, from 1. */
export function numberOfChunk(chunk: string): number {
  return Number(chunk.slice(chunk.lastIndexOf('_') + 1));
}
