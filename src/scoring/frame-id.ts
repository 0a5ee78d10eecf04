import { InternalError } from '../contract/failures.js';

/** The chunk a frame belongs to: its id without the two characters of the frame (`F1` to `R3`). */
export function chunkOfFrame(frameId: string): string {
  return frameId.slice(0, -2);
}

/** The contig a chunk belongs to: all before the last `_chunk_`, since a contig's own id may hold that too. */
export function contigOfChunk(chunkId: string): string {
  const end = chunkId.lastIndexOf('_chunk_');
  if (end < 0) throw new InternalError(`not the id of a chunk: ${chunkId}`);
  return chunkId.slice(0, end);
}
