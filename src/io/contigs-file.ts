import { ArtifactInvalid } from '../contract/failures.js';
import { readArrowFile, writeArrowFile } from './arrow-file.js';

const KIND = 'contigs';

/** Why a contig has no frame; '' when it has one. `too_short` is under 3 bases. */
export const NO_FRAME_REASONS = ['', 'empty', 'too_short', 'no_open_frame'] as const;

/** One of {@link NO_FRAME_REASONS}. */
export type NoFrameReason = (typeof NO_FRAME_REASONS)[number];

/** What splitting found in one contig. */
export interface ContigRow {
  id: string;
  /** Bases. */
  length: number;
  chunks: number;
  /** Chunks without an open frame. */
  chunksNoOpenFrame: number;
  frames: number;
  reason: NoFrameReason;
}

/** Writes a sample's contigs in input order as an Arrow IPC file. Returns the number of rows. */
export async function writeContigs(file: string, madeBy: string, rows: readonly ContigRow[]): Promise<number> {
  const numbers = (value: (row: ContigRow) => number): Uint32Array => {
    const column = new Uint32Array(rows.length);
    rows.forEach((row, i) => (column[i] = value(row)));
    return column;
  };
  return writeArrowFile(
    file,
    { kind: KIND, made_by: madeBy },
    {
      id: rows.map((row) => row.id),
      length: numbers((row) => row.length),
      chunks: numbers((row) => row.chunks),
      chunks_no_open_frame: numbers((row) => row.chunksNoOpenFrame),
      frames: numbers((row) => row.frames),
      reason: rows.map((row) => row.reason),
    },
  );
}

/**
 * Reads a file of {@link writeContigs}.
 * @throws ArtifactInvalid when it is no such file, is not whole, or was made by something else.
 */
export async function readContigs(file: string, madeBy?: string): Promise<ContigRow[]> {
  const arrow = await readArrowFile(file, { kind: KIND, ...(madeBy === undefined ? {} : { madeBy }) });
  const length = arrow.uint32('length');
  const chunks = arrow.uint32('chunks');
  const chunksNoOpenFrame = arrow.uint32('chunks_no_open_frame');
  const frames = arrow.uint32('frames');
  const reasons = arrow.strings('reason');
  return arrow.strings('id').map((id, i) => ({
    id,
    length: length[i]!,
    chunks: chunks[i]!,
    chunksNoOpenFrame: chunksNoOpenFrame[i]!,
    frames: frames[i]!,
    reason: toReason(reasons[i]!, file),
  }));
}

function toReason(text: string, where: string): NoFrameReason {
  const reason = NO_FRAME_REASONS.find((one) => one === text);
  if (reason !== undefined) return reason;
  throw new ArtifactInvalid({
    what: `contigs file has the unknown reason ${text}`,
    where,
    next: 'It will be made again',
  });
}
