import { Chunks } from '../sequence/chunk.js';
import type { FastaRecord } from './fasta.js';
import { type Block, HEADER_BYTES, makeRoom, type Room } from './split-block.js';

/** Bases of a block, headers of its chunks with them: some milliseconds of work, and little memory with all threads busy. */
const BLOCK_BASES = 1 << 20;

/**
 * Packs the chunks of `records` into blocks: long records are cut between chunks, short ones share a block.
 * @param blockBases room in a block for bases and headers; at least one chunk's bases, which it takes with any header.
 * @param spare rooms that earlier blocks have left; taken before new ones are made.
 */
export async function* makeBlocks(
  records: AsyncIterable<Pick<FastaRecord, 'id' | 'sequence'>>,
  chunkSize: number,
  { blockBases = BLOCK_BASES, spare = [] }: { blockBases?: number; spare?: Room[] } = {},
): AsyncGenerator<Block> {
  const emptyBlock = (): Block => ({ chunkSize, pieces: [], room: spare.pop() ?? makeRoom(blockBases) });
  let block = emptyBlock();
  let used = 0;
  let weight = 0;
  for await (const { id, sequence } of records) {
    const { length } = sequence;
    const chunks = new Chunks(length, chunkSize);
    // A chunk becomes text with a header before it, which may be much longer than the chunk.
    const chunkWeight = Math.min(chunkSize, length) + Buffer.byteLength(id) + HEADER_BYTES;
    for (let first = 0; first < chunks.count;) {
      const fitting = Math.floor((blockBases - weight) / chunkWeight);
      if (fitting < 1 && weight > 0) {
        yield block;
        block = emptyBlock();
        used = 0;
        weight = 0;
        continue;
      }
      const count = Math.min(chunks.count - first, Math.max(fitting, 1));
      const bases = sequence.subarray(chunks.start(first), chunks.end(first + count - 1));
      block.room.bases.set(bases, used);
      block.pieces.push({ id, length, first, count });
      used += bases.length;
      weight += count * chunkWeight;
      first += count;
    }
  }
  if (used > 0) yield block;
}
