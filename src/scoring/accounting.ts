import { InternalError } from '../contract/failures.js';
import type { ContigRow, NoFrameReason } from '../io/contigs-file.js';
import type { ChunkCall } from './consensus.js';
import { chunkOfFrame, contigOfChunk } from '../sequence/ids.js';

/** Why no frame of a contig was called; '' for a contig that was. */
export type Reason = NoFrameReason | 'quarantined';

/** One row of accounting.tsv: what became of a contig. */
export interface AccountingRow {
  contig: string;
  length: number;
  /** `called`: at least one frame has a prediction. `not_called`: none has, `reason` says why. */
  status: 'called' | 'not_called';
  reason: Reason;
  chunks: number;
  chunksCalled: number;
  chunksNoOpenFrame: number;
  /** Chunks whose frames were all quarantined; the rest of `chunks`, so it has no column. */
  chunksQuarantinedOnly: number;
  frames: number;
  framesCalled: number;
  framesQuarantined: number;
}

/**
 * One row for every contig, in the order of `contigs`. What was split, called and quarantined is counted apart, so that
 * {@link checkLaws} can compare.
 * @throws InternalError when a call or a quarantined frame belongs to no contig, or two contigs have one id.
 */
export function accountContigs(
  contigs: Iterable<ContigRow>,
  calls: Iterable<ChunkCall>,
  quarantined: Iterable<string>,
): AccountingRow[] {
  const rows = new Map<string, AccountingRow>();
  for (const { id, length, reason, chunks, chunksNoOpenFrame, frames } of contigs) {
    if (rows.has(id)) throw new InternalError(`two contigs are called ${id}`);
    rows.set(id, {
      contig: id,
      length,
      status: 'not_called',
      reason,
      chunks,
      chunksCalled: 0,
      chunksNoOpenFrame,
      chunksQuarantinedOnly: 0,
      frames,
      framesCalled: 0,
      framesQuarantined: 0,
    });
  }
  const rowOf = (chunk: string): AccountingRow => {
    const row = rows.get(contigOfChunk(chunk));
    if (row === undefined) throw new InternalError(`chunk ${chunk} belongs to no contig of the sample`);
    return row;
  };
  const quarantinedOnly = new Set<string>();
  for (const frame of quarantined) {
    const chunk = chunkOfFrame(frame);
    const row = rowOf(chunk);
    row.framesQuarantined += 1;
    row.reason = 'quarantined';
    quarantinedOnly.add(chunk);
  }
  for (const { id, frames } of calls) {
    const row = rowOf(id);
    row.status = 'called';
    row.reason = '';
    row.chunksCalled += 1;
    row.framesCalled += frames;
    quarantinedOnly.delete(id);
  }
  for (const chunk of quarantinedOnly) rowOf(chunk).chunksQuarantinedOnly += 1;
  return [...rows.values()];
}

/**
 * The laws of the accounting: for every contig chunks = called + no open frame + quarantined only, frames = called +
 * quarantined, and a reason exactly when it was not called; over all contigs the called and quarantined frames are the
 * rows of prediction_results and the quarantined frames of the run.
 * @param predictions rows of prediction_results.
 * @param quarantined frames of the sample that were quarantined.
 * @throws InternalError naming the first contig, or else the total, that does not add up.
 */
export function checkLaws(rows: readonly AccountingRow[], predictions: number, quarantined: number): void {
  let framesCalled = 0;
  let framesQuarantined = 0;
  for (const row of rows) {
    const where = `contig ${row.contig}`;
    const { chunks, chunksCalled, chunksNoOpenFrame, chunksQuarantinedOnly } = row;
    if (chunks !== chunksCalled + chunksNoOpenFrame + chunksQuarantinedOnly) {
      const parts = `${chunksCalled} called + ${chunksNoOpenFrame} without open frame + ${chunksQuarantinedOnly} quarantined`;
      throw new InternalError(`${chunks} chunks are not ${parts}`, where);
    }
    if (row.frames !== row.framesCalled + row.framesQuarantined) {
      const parts = `${row.framesCalled} called + ${row.framesQuarantined} quarantined`;
      throw new InternalError(`${row.frames} frames are not ${parts}`, where);
    }
    if ((row.status === 'called') !== (row.reason === '')) {
      throw new InternalError(`status ${row.status} with the reason '${row.reason}'`, where);
    }
    framesCalled += row.framesCalled;
    framesQuarantined += row.framesQuarantined;
  }
  if (framesCalled !== predictions || framesQuarantined !== quarantined) {
    throw new InternalError(
      `accounting holds ${framesCalled} called and ${framesQuarantined} quarantined frames, the run ${predictions} and ${quarantined}`,
    );
  }
}
