import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { checkChunkSize, chunkSpans } from '../sequence/chunk.js';
import { chunkId } from '../sequence/ids.js';
import { visitOpenFrames } from '../sequence/translate.js';
import { breather } from './breather.js';
import { ByteWriter } from './byte-writer.js';
import { readFasta } from './fasta.js';
import { inputName, readInput } from './input.js';
import { writeAtomically } from './local-store.js';

/** Line length of Biopython's FASTA writer, which the original tool uses for chunks (not for frames). */
const CHUNK_LINE = 60;

export interface SplitFastaInput {
  /** Path, or `-` for standard input. */
  input: string;
  /** First part of the result files' names. */
  stem: string;
  outputDir: string;
  /** Window in bases. */
  chunkSize: number;
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
  files: SplitFastaOutput['files'],
): Promise<Omit<SplitFastaOutput, 'files'>> {
  const handles: FileHandle[] = [];
  const writerTo = async (file: string): Promise<ByteWriter> => {
    const handle = await open(file, 'w');
    handles.push(handle);
    return new ByteWriter(handle);
  };
  try {
    const chunked = await writerTo(files.chunks);
    const nucleotides = await writerTo(files.nucleotide);
    const proteins = await writerTo(files.protein);
    const writers = [chunked, nucleotides, proteins];
    const breathe = breather(task.signal);
    const stoppable = task.signal === undefined ? {} : { signal: task.signal };
    const totals = { records: 0, bases: 0, chunks: 0, chunksNoOpenFrame: 0, frames: 0 };
    for await (const { id, sequence } of readFasta(
      readInput(task.input, stoppable),
      inputName(task.input),
      stoppable,
    )) {
      totals.records += 1;
      totals.bases += sequence.length;
      let number = 0;
      for (const { start, end } of chunkSpans(sequence.length, task.chunkSize)) {
        const chunk = sequence.subarray(start, end);
        const header = `>${chunkId(id, ++number)}`;
        chunked.text(`${header}\n`);
        chunked.lines(chunk, CHUNK_LINE);
        const open = visitOpenFrames(chunk, (name, nucleotide, protein) => {
          nucleotides.text(`${header}${name}\n`);
          nucleotides.line(nucleotide);
          proteins.text(`${header}${name}\n`);
          proteins.line(protein);
        });
        totals.chunks += 1;
        totals.frames += open;
        if (open === 0) totals.chunksNoOpenFrame += 1;
        for (const writer of writers) {
          const flushed = writer.flushIfFull();
          if (flushed) await flushed;
        }
        const pause = breathe();
        if (pause) await pause;
      }
    }
    for (const writer of writers) await writer.flush();
    return totals;
  } finally {
    for (const handle of handles) await handle.close();
  }
}
