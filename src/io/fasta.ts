import { InputError } from '../contract/failures.js';
import { membership, NUCLEOTIDES, type Alphabet } from './alphabet.js';
import { breather } from './breather.js';
import { GrowingBytes } from './growing-bytes.js';
import { IdSet } from './id-set.js';
import { notFasta, OPENING_BYTES, wrongLetter } from './not-fasta.js';

/** Longest header line in bytes: above those of databases with merged entries, far below a binary file's "line". */
const LONGEST_HEADER = 1 << 20;
/** Longest record in letters: what one array of Node holds and one 32-bit column counts. */
const LONGEST_RECORD = 2 ** 32 - 1;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const RECORD_START = '>'.charCodeAt(0);
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// V8 makes loops over arrays that are constants of their module about three times as fast as over any others. These hold
// a part of the file, small enough to be cheap for a short record, and the alphabet during one call.
const area = new Uint8Array(1 << 12);
const areLetters = new Uint8Array(256);

/** One record of a FASTA file. */
export interface FastaRecord {
  /** Header up to the first blank. */
  id: string;
  /** The rest of the header; empty if there is none. */
  description: string;
  /**
   * The letters as they are written, in either case, without line breaks and blanks. The next record is read into the
   * same bytes: copy what must outlive this one.
   */
  sequence: Uint8Array;
  /** Line of the header, counted from 1. */
  line: number;
  /** Position in the file, counted from 0. */
  index: number;
}

export interface ReadFastaOptions {
  /** Default: {@link NUCLEOTIDES}. */
  alphabet?: Alphabet;
  /**
   * Gives a record whose id an earlier one has, of its own or given here, the first free of `id_2`, `id_3` and so on,
   * instead of refusing it.
   */
  renameDuplicates?: boolean;
  /**
   * Told of each problem that the reading can go on behind: a record's first wrong letter, an id that is missing, repeated
   * or no text. Default: it is thrown.
   */
  onProblem?: (problem: InputError) => void;
  signal?: AbortSignal;
}

const throwIt = (problem: InputError): void => {
  throw problem;
};

/**
 * Reads FASTA from decompressed bytes in pieces of any size. Lines may end in LF, CR LF or CR and be of any length;
 * blank lines, and blanks within a sequence, are skipped. No record at all is fine, and so is a record without letters.
 * Holds one record in memory (up to twice its length while its room grows); yields to the event loop between pieces.
 * @param file how messages name the input.
 * @throws InputError naming line and record: not FASTA, a letter that is not of the alphabet, an id that is missing,
 * repeated or no text, a record or header that is too long. The signal's reason when it is aborted.
 */
export async function* readFasta(
  source: AsyncIterable<Uint8Array>,
  file: string,
  { alphabet = NUCLEOTIDES, renameDuplicates = false, onProblem = throwIt, signal }: ReadFastaOptions = {},
): AsyncGenerator<FastaRecord> {
  const breathe = breather(signal);
  const parser = new FastaParser(file, alphabet, renameDuplicates, onProblem);
  for await (const piece of source) {
    signal?.throwIfAborted();
    let at = 0;
    while (at < piece.length) {
      if (parser.needsRoom) await parser.grow();
      at = parser.advance(piece, at);
      if (parser.atRecordEnd) yield parser.takeRecord();
    }
    const pause = breathe();
    if (pause) await pause;
  }
  parser.end();
  if (parser.atRecordEnd) yield parser.takeRecord();
}

/** What comes next in the file. */
type State = 'opening' | 'header' | 'sequence';

class FastaParser {
  /** The record that was read is whole: {@link takeRecord} gives it. */
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
  /** Number of the last record that had a wrong letter. */
  private lastWrong = 0;
  private readonly sequence = new GrowingBytes();
  private readonly ids = new IdSet();
  /** By id that came again: the number to try for its next copy. */
  private readonly nextCopy = new Map<string, number>();
  private readonly isLetter: Uint8Array;

  constructor(
    private readonly file: string,
    private readonly alphabet: Alphabet,
    private readonly renameDuplicates: boolean,
    private readonly onProblem: (problem: InputError) => void,
  ) {
    this.isLetter = membership(alphabet);
  }

  /** Whether {@link grow} must be called before the next {@link advance}. */
  get needsRoom(): boolean {
    return this.sequence.isFull;
  }

  async grow(): Promise<void> {
    if (this.sequence.length === LONGEST_RECORD) {
      throw this.error(`record of more than ${LONGEST_RECORD} letters`, 'Cut it into shorter records');
    }
    await this.sequence.grow(LONGEST_RECORD);
  }

  /** Reads on in `piece` from `at`, at least one byte. Returns the new position. */
  advance(piece: Uint8Array, at: number): number {
    if (this.state === 'header') return this.readHeader(piece, at);
    const end = this.state === 'sequence' ? this.readLetters(piece, at) : at;
    if (end > at) return end;
    this.readOther(piece[at]!);
    return at + 1;
  }

  /** Says that the file has ended. */
  end(): void {
    if (this.state === 'header') this.startRecord();
    if (this.opening !== '') throw this.notFasta();
    this.atRecordEnd = this.record !== undefined;
  }

  takeRecord(): FastaRecord {
    const { bytes, length } = this.sequence;
    const record = { ...this.record!, sequence: bytes.subarray(0, length) };
    this.atRecordEnd = false;
    this.sequence.length = 0;
    return record;
  }

  /** The hot loop: letters and the line ends behind them, until anything else or until there is no room. */
  private readLetters(piece: Uint8Array, from: number): number {
    const { bytes, length } = this.sequence;
    if (this.isLetter[piece[from]!] === 0) return from;
    const count = Math.min(piece.length - from, area.length, bytes.length - length);
    area.set(count === piece.length ? piece : piece.subarray(from, from + count));
    areLetters.set(this.isLetter);
    let at = 0;
    let letters = 0;
    let lines = 0;
    for (; at < count; at++) {
      const byte = area[at]!;
      if (areLetters[byte] === 1) area[letters++] = byte;
      else if (byte === CR || (byte === LF && area[at - 1] !== CR)) lines += 1;
      else if (byte !== LF) break;
    }
    bytes.set(area.subarray(0, letters), length);
    this.sequence.length += letters;
    this.line += lines;
    const last = piece[from + at - 1];
    this.atLineStart = last === LF || last === CR;
    this.afterCr = last === CR;
    return from + at;
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

  /** A byte that is no letter: a line break, a blank, the start of a record, or a mistake. */
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
      this.reportLetter(byte);
    }
    this.atLineStart = false;
    this.afterCr = false;
  }

  private reportLetter(byte: number): void {
    if (this.lastWrong === this.records) return;
    this.lastWrong = this.records;
    this.onProblem(wrongLetter(byte, this.alphabet, this.atLineStart, this.where()));
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
    if (id.length === 0 || this.ids.add(id)) return;
    if (this.renameDuplicates) this.record.id = this.freeId(this.record.id);
    else {
      this.onProblem(
        this.error(
          'this id is used by an earlier record',
          'Give every record its own id, for example with seqkit rename, or let predict and split do it: --rename-duplicates',
        ),
      );
    }
  }

  private freeId(id: string): string {
    for (let copy = this.nextCopy.get(id) ?? 2; ; copy += 1) {
      const free = `${id}_${copy}`;
      if (!this.ids.add(Buffer.from(free))) continue;
      this.nextCopy.set(id, copy + 1);
      return free;
    }
  }

  private decodeId(bytes: Uint8Array): string {
    const where = `${this.file}, line ${this.line}, record ${this.records + 1}`;
    if (bytes.length === 0) {
      this.onProblem(new InputError({ what: 'record without an id', where, next: 'Write a name directly behind ">"' }));
    }
    try {
      return STRICT_UTF8.decode(bytes);
    } catch (cause) {
      this.onProblem(new InputError({ what: 'id is not UTF-8 text', where, next: 'Use plain ASCII ids', cause }));
      return Buffer.from(bytes).toString('latin1');
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
