import type { RefusalReason } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { InternalError } from '../contract/failures.js';
import type { AccountingRow } from '../scoring/accounting.js';
import type { Prediction } from '../scoring/classify.js';
import { type ChunkCall, isVirus } from '../scoring/consensus.js';
import { writeAtomically } from './local-store.js';
import { asPrinted, float32Text, float64Text } from './number-text.js';

/** A finished file of a run. */
export interface ResultFile {
  path: string;
  bytes: number;
  /** Hex SHA-256 of its bytes. */
  sha256: string;
}

/**
 * Writes prediction_results.txt (TSV), rows in the order given. Scores print as numpy float32, as the original's
 * `str(probability)`. Ids are written as they are: the original writes this file without quoting.
 * @throws StorageError when the disk refuses; whatever `rows` throws, and then no file appears.
 */
export function writePredictions(file: string, rows: Rows<Prediction>): Promise<ResultFile> {
  return writeTable(file, ['Sequence_ID', 'Prediction', 'score1', 'score2'], rows, (row) => [
    row.id,
    row.label,
    float32Text(row.score1),
    float32Text(row.score2),
  ]);
}

/**
 * Writes prediction_results_highestscore.csv (TAB separated, whatever its name says), rows in the order given. The
 * original reads prediction_results.txt back and writes with pandas: so scores print as the float64 of their text
 * (1e-04 there is 0.0001 here), and an id with a quote is quoted.
 * @throws StorageError when the disk refuses.
 */
export function writeConsensus(file: string, rows: Rows<ChunkCall>): Promise<ResultFile> {
  const reread = (score: number): string => float64Text(asPrinted(score));
  return writeTable(file, ['Modified_ID', 'Is_Virus', 'max_score_0', 'max_score_1'], rows, (row) => [
    quotedAsPandas(row.id),
    isVirus(row) ? 'True' : 'False',
    reread(row.maxScore1),
    reread(row.maxScore2),
  ]);
}

/** A frame that could not be embedded. */
export interface QuarantinedFrame {
  id: string;
  stage: Stage;
  reason: RefusalReason;
}

/**
 * Writes quarantined.tsv: every frame that has no prediction because no lane could embed it, the stage and the reason.
 * @throws StorageError when the disk refuses.
 */
export function writeQuarantine(file: string, rows: Rows<QuarantinedFrame>): Promise<ResultFile> {
  return writeTable(file, ['Sequence_ID', 'stage', 'reason'], rows, (row) => [row.id, row.stage, row.reason]);
}

/**
 * Writes accounting.tsv, one row a contig in the order given, never quoted.
 * @throws StorageError when the disk refuses.
 */
export function writeAccounting(file: string, rows: Rows<AccountingRow>): Promise<ResultFile> {
  const columns = {
    contig: (row) => row.contig,
    length: (row) => row.length,
    status: (row) => row.status,
    reason: (row) => row.reason,
    chunks: (row) => row.chunks,
    chunks_called: (row) => row.chunksCalled,
    chunks_no_open_frame: (row) => row.chunksNoOpenFrame,
    frames: (row) => row.frames,
    frames_called: (row) => row.framesCalled,
    frames_quarantined: (row) => row.framesQuarantined,
  } satisfies Record<string, (row: AccountingRow) => string | number>;
  return writeTable(file, Object.keys(columns), rows, (row) => Object.values(columns).map((cell) => `${cell(row)}`));
}

/** What a table is written from, piece by piece. */
export type Rows<T> = Iterable<T> | AsyncIterable<T>;

/**
 * Writes a TAB separated table with a header line.
 * @throws StorageError when the disk refuses; InternalError for a cell that would shift the table; whatever `rows` throws,
 * and then no file appears.
 */
export async function writeTable<T>(
  file: string,
  header: string[],
  rows: Rows<T>,
  cells: (row: T) => string[],
): Promise<ResultFile> {
  async function* lines(): AsyncGenerator<string> {
    yield toLine(header);
    for await (const row of rows) yield toLine(cells(row));
  }
  return writeText(file, lines());
}

function toLine(cells: string[]): string {
  const broken = cells.find((cell) => /[\t\r\n]/.test(cell));
  if (broken !== undefined)
    throw new InternalError(`a tab or line break would shift the table: ${JSON.stringify(broken)}`);
  return `${cells.join('\t')}\n`;
}

/** csv.QUOTE_MINIMAL of pandas' to_csv; tabs and line breaks never get here. */
function quotedAsPandas(text: string): string {
  return text.includes('"') ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Blocks of this many characters go to the disk at once; a table is never held as one string. */
const BLOCK_CHARACTERS = 1 << 16;

/** Writes UTF-8 text piece by piece, atomically, and digests it on the way. */
export async function writeText(file: string, pieces: Rows<string>): Promise<ResultFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* blocks(): AsyncGenerator<Buffer> {
    const toBlock = (text: string): Buffer => {
      const block = Buffer.from(text, 'utf8');
      hash.update(block);
      bytes += block.length;
      return block;
    };
    let text = '';
    for await (const piece of pieces) {
      text += piece;
      if (text.length >= BLOCK_CHARACTERS) {
        yield toBlock(text);
        text = '';
      }
    }
    yield toBlock(text);
  }
  await writeAtomically(file, (temporary) => writeFile(temporary, blocks()));
  return { path: file, bytes, sha256: hash.digest('hex') };
}
