import type { Reason } from '../scoring/accounting.js';
import type { ContigCall } from '../scoring/contig-call.js';
import type { ViralRegion } from '../scoring/viral-regions.js';
import { fixedText, float64Text } from './number-text.js';
import { type ResultFile, type Rows, writeTable, writeText } from './tables.js';

/** One row of contigs.tsv. */
export interface ContigResult {
  contig: string;
  length: number;
  /** Why it was not called; '' for one that was. */
  reason: Reason;
  verdict: ContigCall;
  regions: readonly ViralRegion[];
}

/**
 * Writes contigs.tsv, rows in the order given. The columns that viral-ngs' `virnucpro_contigs` writes have its names and
 * its rounding, so that what reads its table reads ours; numbers of a contig without a called chunk are empty.
 * @throws StorageError when the disk refuses.
 */
export function writeContigTable(file: string, rows: Rows<ContigResult>): Promise<ResultFile> {
  const score = (digits: (call: ContigCall) => string) => (row: ContigResult) =>
    row.verdict.chunksCalled === 0 ? '' : digits(row.verdict);
  const columns = {
    ID: (row) => row.contig,
    length: (row) => row.length,
    call: ({ verdict }) => verdict.call,
    tier: ({ verdict }) => verdict.tier,
    reason: (row) => row.reason,
    weighted_delta: score((call) => fixedText(call.weightedDelta, 3)),
    max_p_virus: score((call) => float64Text(call.maxPVirus)),
    max_p_other: score((call) => float64Text(call.maxPOther)),
    n_chunks: ({ verdict }) => verdict.chunksCalled,
    n_viral: ({ verdict }) => verdict.chunksViral,
    n_confident_viral: ({ verdict }) => verdict.confidentViral,
    n_confident_nonviral: ({ verdict }) => verdict.confidentOther,
    n_ambiguous: ({ verdict }) => verdict.ambiguous,
    viral_proportion: score((call) => fixedText(call.viralProportion, 3)),
    nonviral_proportion: score((call) => fixedText(call.otherProportion, 3)),
    n_viral_regions: (row) => row.regions.length,
    viral_region_bases: (row) => row.regions.reduce((sum, { start, end }) => sum + end - start, 0),
  } satisfies Record<string, (row: ContigResult) => string | number>;
  return writeTable(file, Object.keys(columns), rows, (row) => Object.values(columns).map((cell) => `${cell(row)}`));
}

/** Name of a region in both region files, counted over the sample. */
function regionName(index: number): string {
  return `viral_region_${index + 1}`;
}

/**
 * Writes regions as BED6: contig, start (0-based), end (excluded), name, score (1,000 x mean P(virus)), no strand. No
 * header, as BED has none.
 * @throws StorageError when the disk refuses.
 */
export function writeBed(file: string, regions: readonly ViralRegion[]): Promise<ResultFile> {
  return writeText(
    file,
    regions.map(
      ({ contig, start, end, meanPVirus }, i) =>
        `${[contig, start, end, regionName(i), Math.round(1000 * meanPVirus), '.'].join('\t')}\n`,
    ),
  );
}

/**
 * Writes regions as GFF3 (SO:0001041 viral_sequence): start and end count from 1 and are both included, the score is the
 * mean P(virus); ids are percent-encoded as GFF3 wants it.
 * @throws StorageError when the disk refuses.
 */
export function writeGff3(
  file: string,
  regions: readonly ViralRegion[],
  lengthOf: (contig: string) => number,
): Promise<ResultFile> {
  function* lines(): Generator<string> {
    yield '##gff-version 3\n';
    let last: string | undefined;
    for (const [i, { contig, start, end, chunksViral, chunksCalled, meanPVirus }] of regions.entries()) {
      const seqid = encodedSeqid(contig);
      if (contig !== last) yield `##sequence-region ${seqid} 1 ${lengthOf(contig)}\n`;
      last = contig;
      const attributes = `ID=${regionName(i)};chunks_viral=${chunksViral};chunks_called=${chunksCalled}`;
      const score = fixedText(meanPVirus, 4);
      yield `${[seqid, 'virnucpro', 'viral_sequence', start + 1, end, score, '.', '.', attributes].join('\t')}\n`;
    }
  }
  return writeText(file, lines());
}

/** GFF3: a seqid may hold `[a-zA-Z0-9.:^*$@!+_?-|]`; everything else is percent-encoded as UTF-8. */
function encodedSeqid(id: string): string {
  return id.replace(/[^a-zA-Z0-9.:^*$@!+_?|-]/gu, (letter) =>
    [...Buffer.from(letter, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
