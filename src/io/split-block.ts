import { Chunks } from '../sequence/chunk.js';
import { FRAME_NAMES, type FrameName, visitOpenFrames } from '../sequence/translate.js';
import { ByteList } from './byte-list.js';

/** Line length of Biopython's FASTA writer, which the original tool uses for chunks (not for frames). */
const CHUNK_LINE = 60;
/** The line end of a frame's header. */
const SUFFIXES = new Map(FRAME_NAMES.map((name) => [name, Buffer.from(`${name}\n`)]));
/** More than a header has beside `>`, id and `_chunk_`: a number, a frame's name, a line feed. */
const HEADER_BYTES = 32;

/** Some neighbouring chunks of a contig. */
export interface Piece {
  /** The contig's id. */
  id: string;
  /** All bases of the contig. */
  length: number;
  /** First chunk, counted from 0. */
  first: number;
  /** Number of chunks. */
  count: number;
}

/** Work of a handy size: some chunks of one or more contigs, and their bases. May be posted to another thread. */
export interface Block {
  /** Window in bases. */
  chunkSize: number;
  pieces: Piece[];
  /** Piece after piece, each from the start of its first chunk to the end of its last one. */
  bases: Uint8Array<ArrayBuffer>;
}

/** What a block becomes: three pieces of FASTA, and counts. */
export interface SplitBlock {
  chunked: Uint8Array<ArrayBuffer>;
  nucleotides: Uint8Array<ArrayBuffer>;
  proteins: Uint8Array<ArrayBuffer>;
  chunks: number;
  chunksNoOpenFrame: number;
  frames: number;
}

/** Cuts a block into chunks, and translates them. A pure function. */
export function splitBlock({ chunkSize, pieces, bases }: Block): SplitBlock {
  const chunked = new ByteList(bases.length + (bases.length >> 3));
  const nucleotides = new ByteList(bases.length);
  const proteins = new ByteList(bases.length >> 1);
  const counts = { chunks: 0, chunksNoOpenFrame: 0, frames: 0 };
  const frame = (header: Uint8Array, name: FrameName, nucleotide: Uint8Array, protein: Uint8Array): void => {
    for (const [list, letters] of [[nucleotides, nucleotide] as const, [proteins, protein] as const]) {
      list.reserve(header.length + HEADER_BYTES + letters.length);
      list.append(header);
      list.append(SUFFIXES.get(name)!);
      list.append(letters);
      list.lineFeed();
    }
  };
  let start = 0;
  for (const { id, length, first, count } of pieces) {
    const prefix = Buffer.from(`>${id}_chunk_`);
    const chunks = new Chunks(length, chunkSize);
    const offset = start - chunks.start(first);
    for (let number = first; number < first + count; number++) {
      const chunk = bases.subarray(offset + chunks.start(number), offset + chunks.end(number));
      chunked.reserve(prefix.length + HEADER_BYTES + 2 * chunk.length);
      const headerStart = chunked.length;
      chunked.append(prefix);
      chunked.appendNumber(number + 1);
      const header = chunked.view(headerStart);
      chunked.lineFeed();
      chunked.appendLines(chunk, CHUNK_LINE);
      const open = visitOpenFrames(chunk, (name, nucleotide, protein) => frame(header, name, nucleotide, protein));
      counts.chunks += 1;
      counts.frames += open;
      if (open === 0) counts.chunksNoOpenFrame += 1;
    }
    start = offset + chunks.end(first + count - 1);
  }
  return { chunked: chunked.view(), nucleotides: nucleotides.view(), proteins: proteins.view(), ...counts };
}
