import { InputError } from '../contract/failures.js';
import { type Alphabet, NUCLEOTIDES } from './alphabet.js';
import { BaseBuffer } from './base-buffer.js';
import { breather } from './breather.js';
import { IdSet } from './id-set.js';
import { notFasta, notInAlphabet, OPENING_BYTES } from './not-fasta.js';

/** Longest header line in bytes: above those of databases with merged entries, far below a binary file's "line". */
const LONGEST_HEADER = 1 << 20;
/** Longest record in bases: what one array of Node holds and one 32-bit column counts. */
const LONGEST_RECORD = 2 ** 32 - 1;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const RECORD_START = '>'.charCodeAt(0);

/** One record of a FASTA file. */
export interface FastaRecord {
  /** Header up to the first blank. */
  id: string;
  /** The rest of the header; empty if there is none. */
  description: string;
  /** The bases as they are written, in either case, without line breaks and blanks. */
  sequence: Uint8Array;
  /** Line of the header, counted from 1. */
  line: number;
  /** Position in the file, counted from 0. */
  index: number;
}

/**
 * Reads FASTA from decompressed bytes in pieces of any size. Lines may end in LF, CR LF or CR and be of any length;
 * blank lines, and blanks within a sequence, are skipped. No record at all is fine, and so is a record without bases.
 * Holds one record in memory (twice its length while it is handed over); yields to the event loop between pieces.
 * @param file how messages name the input.
 * @param alphabet letters of the sequences; a base is one of them.
 * @throws InputError naming line and record: not FASTA, a letter that the alphabet lacks, an id that is missing, repeated
 * or no text, a record or header that is too long. The signal's reason when it is aborted.
 */
export async function* readFasta(
  source: AsyncIterable<Uint8Array>,
  file: string,
  signal?: AbortSignal,
  alphabet = NUCLEOTIDES,
): AsyncGenerator<FastaRecord> {
  const breathe = breather(signal);
  const parser = new FastaParser(file, alphabet);
  for await (const piece of source) {
    let at = 0;
    while (at < piece.length) {
      at = parser.advance(piece, at);
      if (parser.atRecordEnd) yield await parser.finishRecord();
    }
    const pause = breathe();
    if (pause) await pause;
  }
  parser.end();
  if (parser.atRecordEnd) yield await parser.finishRecord();
}

/** What comes next in the file. */
type State = 'opening' | 'header' | 'sequence';

class FastaParser {
  /** The record that was read is whole: {@link finishRecord} gives it. */
  atRecordEnd = false;

  private state: State = 'opening';
  private line = 1;
  private atLineStart = true;
  private afterCr = false;
  private opening = '';
  private header: Uint8Array[] = [];
  private headerBytes = 0;
  private record: Omit<FastaRecord, 'sequence'> | undefined;
  private records = 0;
  private readonly bases: BaseBuffer;
  private readonly ids = new IdSet();

  constructor(
    private readonly file: string,
    private readonly alphabet: Alphabet,
  ) {
    this.bases = new BaseBuffer(alphabet);
  }

  /** Reads on in `piece` from `at` to the end of what the current state reads. Returns the new position. */
  advance(piece: Uint8Array, at: number): number {
    if (this.state === 'header') return this.readHeader(piece, at);
    if (this.state === 'sequence') {
      const end = this.bases.take(piece, at);
      if (end > at) {
        this.atLineStart = false;
        this.afterCr = false;
        return end;
      }
    }
    this.readOther(piece[at]!);
    return at + 1;
  }

  /** Says that the file has ended. */
  end(): void {
    if (this.state === 'header') this.startRecord();
    if (this.opening !== '') throw this.notFasta();
    this.atRecordEnd = this.record !== undefined;
  }

  async finishRecord(): Promise<FastaRecord> {
    const { record, bases } = this;
    if (bases.length > LONGEST_RECORD) {
      throw this.error(
        `record of ${bases.length} bases, the limit is ${LONGEST_RECORD}`,
        'Cut it into shorter records',
      );
    }
    this.atRecordEnd = false;
    return { ...record!, sequence: await bases.release() };
  }

  private readHeader(piece: Uint8Array, at: number): number {
    let end = at;
    while (end < piece.length && piece[end] !== LF && piece[end] !== CR) end += 1;
    this.header.push(piece.slice(at, end));
    this.headerBytes += end - at;
    if (this.headerBytes > LONGEST_HEADER) {
      throw this.error(`header line of more than ${LONGEST_HEADER} bytes`, 'Shorten it to an id and a few words');
    }
    if (end < piece.length) this.startRecord();
    return end;
  }

  /** A byte that is no base: a line break, a blank, the start of a record, or a mistake. */
  private readOther(byte: number): void {
    if (this.opening !== '') return this.readOpening(byte);
    if (byte === LF || byte === CR) {
      if (byte === CR || !this.afterCr) this.line += 1;
      this.afterCr = byte === CR;
      this.atLineStart = true;
      return;
    }
    if (byte === RECORD_START && this.atLineStart) {
      this.atRecordEnd = this.record !== undefined;
      this.state = 'header';
    } else if (byte !== SPACE && byte !== TAB) {
      if (this.state === 'opening') return this.readOpening(byte);
      throw notInAlphabet(this.alphabet, byte, this.atLineStart, this.where());
    }
    this.atLineStart = false;
    this.afterCr = false;
  }

  /** Gathers enough of what is no FASTA to say what it is. */
  private readOpening(byte: number): void {
    if (byte === LF || this.opening.length === OPENING_BYTES) throw this.notFasta();
    this.opening += String.fromCharCode(byte);
  }

  private startRecord(): void {
    const line = Buffer.concat(this.header);
    this.header = [];
    this.headerBytes = 0;
    this.state = 'sequence';
    let start = 0;
    while (line[start]! <= SPACE) start += 1;
    let end = start;
    while (line[end]! > SPACE) end += 1;
    const id = line.subarray(start, end);
    this.record = {
      id: this.decodeId(id),
      description: line.toString('utf8', end).trim(),
      line: this.line,
      index: this.records,
    };
    this.records += 1;
    if (!this.ids.add(id)) {
      throw this.error(
        'this id is used by an earlier record',
        'Give every record its own id, for example with seqkit rename',
      );
    }
  }

  private decodeId(bytes: Uint8Array): string {
    const where = `${this.file}, line ${this.line}, record ${this.records + 1}`;
    if (bytes.length === 0) {
      throw new InputError({ what: 'record without an id', where, next: 'Write a name directly behind ">"' });
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw new InputError({ what: 'id is not UTF-8 text', where, next: 'Use plain ASCII ids', cause });
    }
  }

  private notFasta(): InputError {
    return notFasta(this.opening, `${this.file}, line ${this.line}`);
  }

  private error(what: string, next: string): InputError {
    return new InputError({ what, where: this.where(), next });
  }

  private where(): string {
    return `${this.file}, line ${this.line}, record ${this.record?.id}`;
  }
}
