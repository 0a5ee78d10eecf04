import { availableParallelism } from 'node:os';
import path from 'node:path';
import { checkChunkSize } from '../sequence/chunk.js';
import { makeBlocks } from './block-maker.js';
import { type FastaRecord, readFasta } from './fasta.js';
import { inputName, readInput } from './input.js';
import { writeAtomically } from './local-store.js';
import type { Block, Room, SplitBlock } from './split-block.js';
import { SplitThreads } from './split-threads.js';
import { StreamedFile } from './streamed-file.js';

/** More threads would wait for the one that reads. */
const MOST_THREADS = 3;
/** Blocks that are being split or written: enough for all threads, at some megabytes each. */
const BLOCKS_AT_ONCE = 8;

export interface SplitFastaInput {
  /** Path, or `-` for standard input. */
  input: string;
  /** First part of the result files' names. */
  stem: string;
  outputDir: string;
  /** Window in bases. */
  chunkSize: number;
  /** As {@link readFasta} takes it. */
  renameDuplicates?: boolean;
  /** Threads besides the calling one; default: one for each other core, up to {@link MOST_THREADS}. */
  threads?: number;
  signal?: AbortSignal;
}

/** Totals of a split, and the paths of the files that it wrote. */
export interface SplitFastaOutput {
  records: number;
  bases: number;
  chunks: number;
  chunksNoOpenFrame: number;
  frames: number;
  files: { chunks: string; nucleotide: string; protein: string };
}

/**
 * Writes the original tool's three FASTA files: all chunks, and nucleotides and proteins of the open frames. They are
 * moved into place when they are whole; on an error nothing is left behind.
 * @throws InputError as {@link readFasta}; OptionError for the chunk size; StorageError when the disk refuses.
 */
export async function splitToFasta(task: SplitFastaInput): Promise<SplitFastaOutput> {
  checkChunkSize(task.chunkSize);
  const target = (name: string): string => path.join(task.outputDir, `${task.stem}_${name}`);
  const files = {
    chunks: target(`chunked${task.chunkSize}.fa`),
    nucleotide: target('identified_nucleotide.fa'),
    protein: target('identified_protein.faa'),
  };
  const totals = await writeAtomically(files.chunks, (chunks) =>
    writeAtomically(files.nucleotide, (nucleotide) =>
      writeAtomically(files.protein, (protein) => writeFiles(task, { chunks, nucleotide, protein })),
    ),
  );
  return { ...totals, files };
}

async function writeFiles(
  task: SplitFastaInput,
  paths: SplitFastaOutput['files'],
): Promise<Omit<SplitFastaOutput, 'files'>> {
  const stoppable = task.signal === undefined ? {} : { signal: task.signal };
  const { renameDuplicates = false } = task;
  const source = readInput(task.input, stoppable);
  const records = readFasta(source, inputName(task.input), { ...stoppable, renameDuplicates });
  const totals = { records: 0, bases: 0, chunks: 0, chunksNoOpenFrame: 0, frames: 0 };
  async function* counted(): AsyncGenerator<FastaRecord> {
    for await (const record of records) {
      totals.records += 1;
      totals.bases += record.sequence.length;
      yield record;
    }
  }

  const spare: Room[] = [];
  const threads = new SplitThreads(task.threads ?? Math.min(availableParallelism() - 1, MOST_THREADS));
  const files: StreamedFile[] = [];
  try {
    for (const file of [paths.chunks, paths.nucleotide, paths.protein]) files.push(await StreamedFile.create(file));
    const write = async (result: SplitBlock): Promise<void> => {
      const texts = [result.chunked, result.nucleotides, result.proteins];
      await Promise.all(files.map((file, i) => file.write(texts[i]!)));
      spare.push(result.room);
      totals.chunks += result.chunks;
      totals.chunksNoOpenFrame += result.chunksNoOpenFrame;
      totals.frames += result.frames;
    };
    const split = (block: Block): Promise<SplitBlock> => {
      task.signal?.throwIfAborted();
      return threads.split(block);
    };
    await inOrder(makeBlocks(counted(), task.chunkSize, { spare }), split, write, BLOCKS_AT_ONCE);
    return totals;
  } finally {
    await threads.close();
    await Promise.all(files.map((file) => file.close()));
  }
}

/** Maps `items` with up to `most` under way, and consumes the results one at a time, in the items' order. */
async function inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  map: (item: Item) => Promise<Result>,
  consume: (result: Result) => Promise<void>,
  most: number,
): Promise<void> {
  const underWay: Promise<void>[] = [];
  let last = Promise.resolve();
  for await (const item of items) {
    last = Promise.all([map(item), last]).then(([result]) => consume(result));
    // Of several that fail only the first is waited for.
    last.catch(() => {});
    underWay.push(last);
    if (underWay.length === most) await underWay.shift();
  }
  await last;
}
