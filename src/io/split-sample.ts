import { BATCH_SEQUENCES } from '../contract/defaults.js';
import { stat } from 'node:fs/promises';
import type { ArtifactRef } from '../contract/artifacts.js';
import { ArtifactInvalid, InputError, OptionError } from '../contract/failures.js';
import { batchSize } from '../sequence/batch-size.js';
import { checkChunkSize, chunkSpans } from '../sequence/chunk.js';
import { chunkId } from '../sequence/ids.js';
import { countOpenFrames, translateChunk } from '../sequence/translate.js';
import type { ArtifactStore } from './artifact-store.js';
import { breather } from './breather.js';
import { type ContigRow, type NoFrameReason, readContigs, writeContigs } from './contigs-file.js';
import { type FastaRecord, readFasta } from './fasta.js';
import { type Frames, writeFrames } from './frames-file.js';
import { readInput, toInputError } from './input.js';
import { sha256OfFile } from './local-store.js';
import { digestOfOrigin, findWhole, type Origin } from './origin.js';

/** Changes when the same input and options would give other chunks, frames or batches. */
const RULE = 1;

export interface SplitSampleInput {
  /** Path of a FASTA file, also packed by gzip or zstd. It is read more than once. */
  input: string;
  /** Window in bases. */
  chunkSize: number;
  /** Frames in a file batch; default {@link batchSize}. */
  batchSequences?: number;
  /** As {@link readFasta} takes it. */
  renameDuplicates?: boolean;
  store: ArtifactStore;
  /** What keys in the store start with: empty, or ending in `/`. */
  prefix: string;
  signal?: AbortSignal;
  /** Told often how far it is, in bytes of the input file; each is read twice. */
  onProgress?: (progress: { bytes: number; totalBytes: number }) => void;
}

/** Totals of a sample and the artifacts that its next stages start from. */
export interface SplitSampleOutput {
  /** Hex SHA-256 of the input file as it is stored. */
  inputSha256: string;
  records: number;
  bases: number;
  chunks: number;
  frames: number;
  chunksNoOpenFrame: number;
  batchSequences: number;
  /** See contigs-file.ts. Published last: where it is, all batches were. */
  contigs: ArtifactRef;
  /** See frames-file.ts. All but the last have `batchSequences` frames; none when there is no frame. */
  batches: ArtifactRef[];
}

/**
 * Checks a whole sample, then writes its frames in file batches and its contigs. Nothing is written for a bad input.
 * Artifacts are a function of input and options alone; those that are already there and whole are used again.
 * @throws InputError as {@link readFasta}, and when the input is no regular file or changes meanwhile; OptionError;
 * StorageError; the signal's reason.
 */
export async function splitSample(task: SplitSampleInput): Promise<SplitSampleOutput> {
  checkChunkSize(task.chunkSize);
  checkBatchSequences(task.batchSequences);
  const totalBytes = 2 * (await sizeOf(task.input));
  let bytes = 0;
  const onRead = (piece: Uint8Array): void => task.onProgress?.({ bytes: (bytes += piece.length), totalBytes });

  const stamp = await stampOf(task.input);
  const inputSha256 = await sha256OfFile(task.input);
  const split = new Split(task, inputSha256, stamp, onRead);
  const rows = (await split.findContigs()) ?? (await split.checkContigs());
  const sum = (count: (row: ContigRow) => number): number => rows.reduce((total, row) => total + count(row), 0);
  const frames = sum((row) => row.frames);
  const batchSequences = task.batchSequences ?? batchSize(frames);
  const batches = await split.batches(frames, batchSequences);
  const contigs = await split.contigs(rows);
  return {
    inputSha256,
    records: rows.length,
    bases: sum((row) => row.length),
    chunks: sum((row) => row.chunks),
    frames,
    chunksNoOpenFrame: sum((row) => row.chunksNoOpenFrame),
    batchSequences,
    batches,
    contigs,
  };
}

function checkBatchSequences(batchSequences: number | undefined): void {
  const { min, max } = BATCH_SEQUENCES;
  if (batchSequences === undefined) return;
  if (Number.isInteger(batchSequences) && batchSequences >= min && batchSequences <= max) return;
  throw new OptionError({
    what: `${batchSequences} frames in a file batch, allowed are whole numbers from ${min} to ${max}`,
    next: 'Leave it out to let the size of the sample decide',
  });
}

async function sizeOf(input: string): Promise<number> {
  const found = await stat(input).catch((error: unknown) => {
    throw toInputError(error, input);
  });
  if (found.isFile()) return found.size;
  throw new InputError({
    what: found.isDirectory() ? 'a folder, not a file' : 'not a regular file, and it must be read more than once',
    where: input,
    next: 'Save it as one FASTA file',
  });
}

async function stampOf(input: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(input, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}

class Split {
  private readonly contigsKey: string;

  constructor(
    private readonly task: SplitSampleInput,
    private readonly inputSha256: string,
    /** {@link stampOf} the input before it was digested. */
    private readonly stamp: string,
    private readonly onRead: (piece: Uint8Array) => void,
  ) {
    this.contigsKey = `${task.prefix}contigs.arrow`;
  }

  /** The contigs of an earlier, finished split. */
  async findContigs(): Promise<ContigRow[] | undefined> {
    const file = await this.task.store.peek(this.contigsKey);
    if (file === undefined) return undefined;
    return readContigs(file, digestOfOrigin(this.origin('contigs'))).catch((error: unknown) => {
      if (error instanceof ArtifactInvalid) return undefined;
      throw error;
    });
  }

  /** First pass: checks the whole input and counts. */
  async checkContigs(): Promise<ContigRow[]> {
    const breathe = breather(this.task.signal);
    const rows: ContigRow[] = [];
    for await (const { id, sequence } of this.records()) {
      const { length } = sequence;
      const row: ContigRow = { id, length, chunks: 0, chunksNoOpenFrame: 0, frames: 0, reason: '' };
      for (const { start, end } of chunkSpans(length, this.task.chunkSize)) {
        const open = countOpenFrames(sequence.subarray(start, end));
        row.chunks += 1;
        row.frames += open;
        if (open === 0) row.chunksNoOpenFrame += 1;
        const pause = breathe();
        if (pause) await pause;
      }
      row.reason = reasonOf(row);
      rows.push(row);
    }
    return rows;
  }

  /** The file batches: those of an earlier split if all are there and whole, else by a second pass. */
  async batches(frames: number, batchSequences: number): Promise<ArtifactRef[]> {
    const found: ArtifactRef[] = [];
    for (let number = 1; number <= Math.ceil(frames / batchSequences); number++) {
      const { key, origin } = this.batch(number, batchSequences);
      const ref = await findWhole(this.task.store, key, origin);
      if (ref === undefined) return this.writeBatches(batchSequences);
      found.push(ref);
    }
    return found;
  }

  async contigs(rows: readonly ContigRow[]): Promise<ArtifactRef> {
    const { store } = this.task;
    const origin = this.origin('contigs');
    return (
      (await findWhole(store, this.contigsKey, origin)) ??
      store.put(this.contigsKey, (file) => writeContigs(file, digestOfOrigin(origin), rows))
    );
  }

  private async writeBatches(batchSequences: number): Promise<ArtifactRef[]> {
    const { store, signal, chunkSize } = this.task;
    const breathe = breather(signal);
    const batches: ArtifactRef[] = [];
    let frames: Frames = { ids: [], nucleotides: [], proteins: [] };
    const publish = async (): Promise<void> => {
      const { key, origin } = this.batch(batches.length + 1, batchSequences);
      const ref =
        (await findWhole(store, key, origin)) ??
        (await store.put(key, (file) => writeFrames(file, digestOfOrigin(origin), frames)));
      batches.push(ref);
      frames = { ids: [], nucleotides: [], proteins: [] };
    };
    for await (const { id, sequence } of this.records()) {
      let number = 0;
      for (const { start, end } of chunkSpans(sequence.length, chunkSize)) {
        const chunk = chunkId(id, ++number);
        for (const { name, nucleotide, protein } of translateChunk(sequence.subarray(start, end))) {
          frames.ids.push(chunk + name);
          frames.nucleotides.push(nucleotide);
          frames.proteins.push(protein);
          if (frames.ids.length === batchSequences) await publish();
        }
        const pause = breathe();
        if (pause) await pause;
      }
    }
    if (frames.ids.length > 0) await publish();
    return batches;
  }

  /** The input's records, and at its end the check that it is still the file that was digested. */
  private async *records(): AsyncGenerator<FastaRecord> {
    const { input, renameDuplicates = false } = this.task;
    const stoppable = this.task.signal === undefined ? {} : { signal: this.task.signal };
    const source = readInput(input, { ...stoppable, onRead: this.onRead });
    yield* readFasta(source, input, { ...stoppable, renameDuplicates });
    if ((await stampOf(input)) === this.stamp) return;
    throw new InputError({ what: 'the file changed while it was read', where: input, next: 'Run it again' });
  }

  private batch(number: number, batchSequences: number): { key: string; origin: Origin } {
    const key = `${this.task.prefix}frames/batch-${String(number).padStart(5, '0')}.arrow`;
    return { key, origin: { ...this.origin('frames'), batchSequences, batch: number } };
  }

  private origin(kind: string): Origin {
    const { chunkSize, renameDuplicates } = this.task;
    return { kind, rule: RULE, input: this.inputSha256, chunkSize, ...(renameDuplicates && { renameDuplicates: 1 }) };
  }
}

function reasonOf({ length, frames }: ContigRow): NoFrameReason {
  if (length === 0) return 'empty';
  if (length < 3) return 'too_short';
  return frames === 0 ? 'no_open_frame' : '';
}
