import { Chunks } from '../sequence/chunk.js';
import { FRAME_NAMES, type FrameName, visitOpenFrames } from '../sequence/translate.js';
import { ByteList } from './byte-list.js';

/** Line length of Biopython's FASTA writer, which the original tool uses for chunks (not for frames). */
const CHUNK_LINE = 60;
/** The line end of a frame's header. */
const SUFFIXES = new Map(FRAME_NAMES.map((name) => [name, Buffer.from(`${name}\n`)]));
/** More than a header has beside `>`, id and `_chunk_`: a number, a frame's name, a line feed. */
export const HEADER_BYTES = 32;

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

/** Memory for a block's bases and for the texts that become of it. Blocks take turns in it: new memory costs time. */
export interface Room {
  bases: Uint8Array<ArrayBuffer>;
  chunked: Uint8Array<ArrayBuffer>;
  nucleotides: Uint8Array<ArrayBuffer>;
  proteins: Uint8Array<ArrayBuffer>;
}

/** Room for a block of so many bases, and for as much text as they usually become. */
export function makeRoom(blockBases: number): Room {
  return {
    bases: new Uint8Array(blockBases),
    chunked: new Uint8Array(blockBases + (blockBases >> 3)),
    nucleotides: new Uint8Array(blockBases),
    proteins: new Uint8Array(blockBases >> 1),
  };
}

/** What moves with a room from one thread to another. */
export function memoryOf({ bases, chunked, nucleotides, proteins }: Room): ArrayBuffer[] {
  return [bases, chunked, nucleotides, proteins].map(({ buffer }) => buffer);
}

/** Work of a handy size: some chunks of one or more contigs, and their bases. May be posted to another thread. */
export interface Block {
  /** Window in bases. */
  chunkSize: number;
  pieces: Piece[];
  /** Its bases: piece after piece, each from the start of its first chunk to the end of its last one. */
  room: Room;
}

/** What a block becomes: three pieces of FASTA, which lie in its room, and counts. */
export interface SplitBlock {
  chunked: Uint8Array;
  nucleotides: Uint8Array;
  proteins: Uint8Array;
  room: Room;
  chunks: number;
  chunksNoOpenFrame: number;
  frames: number;
}

/** Cuts a block into chunks, and translates them. Where its texts need more room than there is, the room grows. */
export function splitBlock({ chunkSize, pieces, room }: Block): SplitBlock {
  const { bases } = room;
  const chunked = new ByteList(room.chunked);
  const nucleotides = new ByteList(room.nucleotides);
  const proteins = new ByteList(room.proteins);
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
  return {
    chunked: chunked.view(),
    nucleotides: nucleotides.view(),
    proteins: proteins.view(),
    room: { bases, chunked: chunked.bytes, nucleotides: nucleotides.bytes, proteins: proteins.bytes },
    ...counts,
  };
}
