import assert from 'node:assert/strict';
import { makeBlocks } from '../../../src/io/block-maker.js';
import { type Block, makeRoom, type Room, splitBlock, type SplitBlock } from '../../../src/io/split-block.js';
import { SplitThreads } from '../../../src/io/split-threads.js';
import { chunkSpans } from '../../../src/sequence/chunk.js';
import { chunkId } from '../../../src/sequence/ids.js';
import { translateChunk } from '../../../src/sequence/translate.js';
import { randomSequences } from '../../support/random-sequences.js';

interface Contig {
  id: string;
  sequence: Buffer;
}

describe('io/split-block', () => {
  const contigs = [...randomSequences(60, 4000)].map((text, i): Contig => {
    return { id: ['a', 'b_chunk_1', 'ä|c'][i % 3]! + i, sequence: Buffer.from(text) };
  });

  async function* records(of: readonly Contig[]): AsyncGenerator<Contig> {
    yield* of;
  }

  async function blocksOf(chunkSize: number, blockBases: number): Promise<Block[]> {
    const blocks: Block[] = [];
    for await (const block of makeBlocks(records(contigs), chunkSize, { blockBases })) blocks.push(block);
    return blocks;
  }

  const texts = (results: SplitBlock[]): string[] =>
    (['chunked', 'nucleotides', 'proteins'] as const).map((name) =>
      Buffer.concat(results.map((result) => result[name])).toString(),
    );

  /** The same files, written as simply as possible. */
  function expected(chunkSize: number, of: readonly Contig[] = contigs): string[] {
    const files = ['', '', ''];
    for (const { id, sequence } of of) {
      [...chunkSpans(sequence.length, chunkSize)].forEach(({ start, end }, i) => {
        const chunk = sequence.subarray(start, end);
        files[0] += `>${chunkId(id, i + 1)}\n${chunk.toString().replace(/.{1,60}/g, '$&\n')}`;
        for (const { name, nucleotide, protein } of translateChunk(chunk)) {
          files[1] += `>${chunkId(id, i + 1)}${name}\n${nucleotide}\n`;
          files[2] += `>${chunkId(id, i + 1)}${name}\n${protein}\n`;
        }
      });
    }
    return files;
  }

  it('gives the same bytes however the chunks are packed', async () => {
    for (const chunkSize of [3, 60, 61, 500]) {
      const files = expected(chunkSize);
      for (const blockBases of [chunkSize, 2 * chunkSize + 1, 5000, 1 << 20]) {
        const results = (await blocksOf(chunkSize, blockBases)).map(splitBlock);
        assert.deepEqual(texts(results), files, `chunks of ${chunkSize}, blocks of ${blockBases}`);
        const sum = (key: 'chunks' | 'frames'): number => results.reduce((total, result) => total + result[key], 0);
        assert.deepEqual(
          [sum('chunks'), sum('frames')],
          files.slice(0, 2).map((file) => file.match(/^>/gm)!.length),
        );
      }
    }
  });

  it('gives the same bytes when blocks take turns in their memory, which grows where their texts outgrow it', async () => {
    // Short texts follow long ones, and lie where those lay.
    const named = contigs.map(({ id, sequence }, i): Contig => {
      return { id: i % 5 === 1 ? id + 'x'.repeat(1000) : id, sequence };
    });
    for (const chunkSize of [3, 60, 61, 500]) {
      const files = expected(chunkSize, named);
      for (const blockBases of [chunkSize, 2 * chunkSize + 1, 5000]) {
        const what = `chunks of ${chunkSize}, blocks of ${blockBases}`;
        const spare: Room[] = [];
        const written = files.map((): string[] => []);
        const memory = new Set<ArrayBuffer>();
        // As if two blocks were always on their way into the files.
        const waiting: Room[] = [];
        for await (const block of makeBlocks(records(named), chunkSize, { blockBases, spare })) {
          memory.add(block.room.bases.buffer);
          const result = splitBlock(block);
          texts([result]).forEach((text, i) => written[i]!.push(text));
          waiting.push(result.room);
          if (waiting.length > 2) spare.push(waiting.shift()!);
        }
        assert.deepEqual(
          written.map((pieces) => pieces.join('')),
          files,
          what,
        );
        assert.equal(memory.size, 3, what);
        const before = makeRoom(blockBases);
        for (const text of ['chunked', 'nucleotides', 'proteins'] as const) {
          const largest = Math.max(...[...waiting, ...spare].map((room) => room[text].length));
          // A block that is shorter than such an id has one chunk; of a longer one, the ids count as bases do.
          if (blockBases === 5000) assert.ok(largest < 8 * blockBases, `${what}: ${text} ${largest}`);
          else assert.ok(largest > before[text].length, `${what}: ${text}`);
        }
      }
    }
  });

  it('gives the same blocks on this thread and on others', async () => {
    const alone = (await blocksOf(100, 300)).map(splitBlock);
    assert.ok(alone.length > 30);
    const threads = new SplitThreads(3);
    try {
      const results = await Promise.all((await blocksOf(100, 300)).map((block) => threads.split(block)));
      assert.deepEqual(texts(results), texts(alone));
    } finally {
      await threads.close();
    }
  });

  it('says when a thread dies', async () => {
    const threads = new SplitThreads(1);
    const blocks = await blocksOf(100, 300);
    const broken = { ...blocks[0]!, pieces: undefined } as unknown as Block;
    for (const block of blocks.slice(0, 16)) await threads.split(block);
    await assert.rejects(threads.split(broken), TypeError);
    await threads.close();
  });
});
