import { chunkSpans } from '../../sequence/chunk.js';
import { type Frame, translateChunk } from '../../sequence/translate.js';
import { contigLength, createRandom, madeUpContig } from './contigs.js';

/** The window of most users, who take the classifier for 500 bases. */
const CHUNK_SIZE = 500;

/** `count` open frames, as VirNucPro makes them of contigs: by its windows and its six frames. The same every time. */
export function madeUpFrames(count: number): Frame[] {
  const random = createRandom(1);
  const frames: Frame[] = [];
  while (frames.length < count) {
    const contig = Buffer.from(madeUpContig(contigLength(random), random));
    for (const { start, end } of chunkSpans(contig.length, CHUNK_SIZE)) {
      frames.push(...translateChunk(contig.subarray(start, end)));
    }
  }
  return frames.slice(0, count);
}
