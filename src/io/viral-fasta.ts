import { open, stat } from 'node:fs/promises';
import { InputError } from '../contract/failures.js';
import { breather } from './breather.js';
import { ByteWriter } from './byte-writer.js';
import { readFasta } from './fasta.js';
import { readInput } from './input.js';
import { sha256OfFile, writeAtomically } from './local-store.js';
import type { ResultFile } from './tables.js';

/** Letters in a line of FASTA. */
const LINE = 60;

/** A sample's input file, as it was when it was split. */
export interface InputFile {
  path: string;
  sha256: string;
  /** Whether its records were renamed then, as {@link readFasta} does it. */
  renameDuplicates?: boolean;
}

/** A contig, or a stretch of it, and its header. */
export interface Piece {
  header: string;
  /** 0-based, end excluded. */
  start: number;
  end: number;
}

/** A file to write: pieces by contig id. */
export interface ViralFasta {
  file: string;
  pieces: ReadonlyMap<string, readonly Piece[]>;
}

/**
 * Writes pieces of contigs with the letters that they have in the input, in its order: all files in one reading of it.
 * @throws InputError when the input is not what was split, StorageError when the disk refuses, the signal's reason; then
 *   there is no file.
 */
export function writeViralFastas(
  files: readonly ViralFasta[],
  input: InputFile,
  signal?: AbortSignal,
): Promise<ResultFile[]> {
  return withOutputs(files, [], async (outputs) => {
    // Without a piece nothing has to be read.
    if (outputs.some(({ pieces }) => pieces.size > 0)) await copyPieces(outputs, input, signal);
  });
}

type Output = Pick<ViralFasta, 'pieces'> & { writer: ByteWriter };

/** Opens one file inside the other, so that none appears before all are written. */
async function withOutputs(
  [next, ...others]: readonly ViralFasta[],
  outputs: readonly Output[],
  write: (outputs: readonly Output[]) => Promise<void>,
): Promise<ResultFile[]> {
  if (next === undefined) {
    await write(outputs);
    return [];
  }
  const { file, pieces } = next;
  return writeAtomically(file, async (temporary) => {
    const handle = await open(temporary, 'w');
    let results: ResultFile[];
    try {
      const writer = new ByteWriter(handle);
      results = await withOutputs(others, [...outputs, { pieces, writer }], write);
      await writer.flush();
    } finally {
      await handle.close();
    }
    const { size } = await stat(temporary);
    return [{ path: file, bytes: size, sha256: await sha256OfFile(temporary) }, ...results];
  });
}

async function copyPieces(
  outputs: readonly Output[],
  input: InputFile,
  signal: AbortSignal | undefined,
): Promise<void> {
  const stoppable = signal === undefined ? {} : { signal };
  const breathe = breather(signal);
  const { renameDuplicates = false } = input;
  const records = readFasta(readInput(input.path, stoppable), input.path, { ...stoppable, renameDuplicates });
  for await (const { id, sequence } of records) {
    for (const { pieces, writer } of outputs) {
      for (const { header, start, end } of pieces.get(id) ?? []) {
        writer.text(`>${header}\n`);
        writer.lines(sequence.subarray(start, end), LINE);
        const flushed = writer.flushIfFull();
        if (flushed) await flushed;
      }
    }
    const pause = breathe();
    if (pause) await pause;
  }
  if ((await sha256OfFile(input.path)) === input.sha256) return;
  throw new InputError({
    what: 'the file changed while the run was under way',
    where: input.path,
    next: 'Run it again',
  });
}
