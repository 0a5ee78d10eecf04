import path from 'node:path';
import type { ArtifactRef } from '../contract/artifacts.js';
import { ArtifactInvalid, InternalError } from '../contract/failures.js';
import type { SampleCounts } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
import type { ArtifactStore } from '../io/artifact-store.js';
import { type ContigResult, writeBed, writeContigTable, writeGff3 } from '../io/contig-tables.js';
import { readContigs } from '../io/contigs-file.js';
import { type Embeddings, readEmbeddings } from '../io/embeddings-file.js';
import { readFrames } from '../io/frames-file.js';
import { type FrameRow, writeFrameTable } from '../io/frames-table.js';
import { fixedText } from '../io/number-text.js';
import { type Origin, digestOfOrigin } from '../io/origin.js';
import { RESULT_FILES, classicFile } from '../io/result-files.js';
import {
  type QuarantinedFrame,
  type ResultFile,
  writeAccounting,
  writeConsensus,
  writePredictions,
  writeQuarantine,
} from '../io/tables.js';
import { type InputFile, type Piece, writeViralFastas } from '../io/viral-fasta.js';
import { type AccountingRow, accountContigs, checkLaws } from '../scoring/accounting.js';
import { type Prediction, toPredictions } from '../scoring/classify.js';
import { type ChunkCall, Consensus, isVirus } from '../scoring/consensus.js';
import { callContig, chunksByContig } from '../scoring/contig-call.js';
import { assertTakes, mergeFeatures } from '../scoring/merge-features.js';
import { viralRegions } from '../scoring/viral-regions.js';
import { chunkSpan } from '../sequence/chunk.js';
import { chunkOfFrame, contigOfChunk, numberOfChunk } from '../sequence/ids.js';
import type { FrameName } from '../sequence/translate.js';

/** What scores merged features: `rows x inputSize` floats in, `rows x 2` softmax (others, virus) out. */
export interface FeatureClassifier {
  readonly inputSize: number;
  predict(features: Float32Array): Promise<Float32Array>;
}

/** Where a file batch's vectors of one stage are, and what they must have been made from. */
export interface EmbeddingsKey {
  key: string;
  origin: Origin;
}

/** A file batch and its vectors from both stages. */
export interface EmbeddedBatch {
  frames: ArtifactRef;
  embeddings: Record<Stage, EmbeddingsKey>;
}

export interface ClassifySampleInput {
  store: ArtifactStore;
  /** The sample's contigs, one row a record in input order. */
  contigs: ArtifactRef;
  /** Every file batch of the sample, in input order. */
  batches: readonly EmbeddedBatch[];
  classifier: FeatureClassifier;
  /** The sample's input: viral contigs are copied from it. */
  input: InputFile;
  /** Window that contigs were cut into, in bases. */
  chunkSize: number;
  outputDir: string;
  /** Name of the input file without its suffix. */
  stem: string;
  /** Called after each batch with how many are done; what it throws stops the sample and leaves no table behind. */
  onBatch?: (done: number) => void;
  /** Stops the copying of viral contigs. */
  signal?: AbortSignal;
}

export interface ClassifySampleOutput {
  counts: SampleCounts;
  /** All of CLASSIC_FILES and RESULT_FILES. */
  files: ResultFile[];
}

/**
 * Scores every embedded frame of a sample and writes its tables, batch by batch: memory holds one batch, one best score
 * a chunk and one row a contig. No table appears unless the accounting adds up.
 * @throws ArtifactInvalid when an artifact is missing or not what it should be, or embeddings are of other frames;
 *   ModelError when the classifier wants another width or gives no numbers; StorageError when the disk refuses;
 *   InputError when the input changed; InternalError when the accounting does not add up.
 */
export async function classifySample(input: ClassifySampleInput): Promise<ClassifySampleOutput> {
  const { outputDir, stem, chunkSize } = input;
  const contigs = await readContigs(await input.store.get(input.contigs));
  const lengths = new Map(contigs.map(({ id, length }) => [id, length]));
  const consensus = new Consensus();
  const quarantined = new Map<string, QuarantinedFrame>();
  let called = 0;
  let viral = 0;
  let calls: ChunkCall[] = [];
  let rows: AccountingRow[] = [];

  async function* predictions(addFrame: (row: FrameRow) => void): AsyncGenerator<Prediction> {
    for (const [index, batch] of input.batches.entries()) {
      const { ids, predictions } = await classifyBatch(input, batch, quarantined);
      let next = 0;
      for (const id of ids) {
        const prediction = quarantined.has(id) ? undefined : predictions[next++]!;
        addFrame(frameRow(id, lengths, chunkSize, prediction, quarantined.get(id)));
        if (prediction === undefined) continue;
        consensus.add(prediction);
        called += 1;
        if (prediction.label === 'virus') viral += 1;
        yield prediction;
      }
      input.onBatch?.(index + 1);
    }
    calls = consensus.sorted();
    rows = accountContigs(contigs, calls, quarantined.keys());
    checkLaws(rows, called, quarantined.size);
  }

  const at = (name: string): string => path.join(outputDir, name);
  const frames = await writeFrameTable(at(RESULT_FILES.frames), (addFrame) =>
    writePredictions(at(classicFile(stem, 'predictions')), predictions(addFrame)),
  );
  const results = contigResults(rows, calls, chunkSize);
  const regions = results.flatMap((result) => result.regions);
  const files = [
    frames.result,
    await writeConsensus(at(classicFile(stem, 'highestScores')), calls),
    await writeAccounting(at(RESULT_FILES.accounting), rows),
    await writeQuarantine(at(RESULT_FILES.quarantined), quarantined.values()),
    frames.file,
    await writeContigTable(at(RESULT_FILES.contigs), results),
    await writeBed(at(RESULT_FILES.bed), regions),
    await writeGff3(at(RESULT_FILES.gff3), regions, (contig) => lengths.get(contig)!),
    ...(await writeViralFastas(
      [
        { file: at(RESULT_FILES.viral), pieces: viralContigs(results) },
        { file: at(RESULT_FILES.viralRegions), pieces: regionPieces(results) },
      ],
      input.input,
      input.signal,
    )),
  ];
  const sum = (count: (row: AccountingRow) => number): number => rows.reduce((total, row) => total + count(row), 0);
  const counts = {
    contigs: rows.length,
    contigsCalled: sum((row) => Number(row.status === 'called')),
    contigsViral: results.filter(({ verdict }) => verdict.call === 'Viral').length,
    viralRegions: regions.length,
    chunks: sum((row) => row.chunks),
    chunksCalled: calls.length,
    chunksViral: calls.filter(isVirus).length,
    frames: sum((row) => row.frames),
    framesCalled: called,
    framesViral: viral,
    framesQuarantined: quarantined.size,
  };
  return { counts, files };
}

function frameRow(
  id: string,
  lengths: ReadonlyMap<string, number>,
  chunkSize: number,
  prediction: Prediction | undefined,
  refused: QuarantinedFrame | undefined,
): FrameRow {
  const chunkName = chunkOfFrame(id);
  const contig = contigOfChunk(chunkName);
  const length = lengths.get(contig);
  if (length === undefined) throw new InternalError(`frame ${id} belongs to no contig of the sample`);
  const chunk = numberOfChunk(chunkName);
  const { start, end } = chunkSpan(length, chunkSize, chunk);
  return {
    id,
    contig,
    chunk,
    chunkStart: start,
    chunkEnd: end,
    name: id.slice(-2) as FrameName,
    ...(prediction && {
      scored: { pVirus: prediction.score2, pOther: prediction.score1, label: prediction.label },
    }),
    ...(refused && { quarantined: `${refused.stage}: ${refused.reason}` }),
  };
}

/** One result a contig, in the order of the accounting. */
function contigResults(rows: readonly AccountingRow[], calls: readonly ChunkCall[], chunkSize: number): ContigResult[] {
  const chunks = chunksByContig(calls);
  return rows.map(({ contig, length, reason }) => {
    const scored = chunks.get(contig) ?? [];
    return {
      contig,
      length,
      reason,
      verdict: callContig(scored),
      regions: viralRegions(contig, length, chunkSize, scored),
    };
  });
}

/** Viral contigs as they stand in viral.fa. */
function viralContigs(results: readonly ContigResult[]): Map<string, Piece[]> {
  return new Map(
    results
      .filter(({ verdict }) => verdict.call === 'Viral')
      .map(({ contig, length, verdict }) => {
        const score = fixedText(verdict.weightedDelta, 3);
        const header = `${contig} length=${length} tier=${verdict.tier} weighted_delta=${score}`;
        return [contig, [{ header, start: 0, end: length }]];
      }),
  );
}

/** Regions as they stand in viral_regions.fa, named as `bedtools getfasta` names those of viral_regions.bed. */
function regionPieces(results: readonly ContigResult[]): Map<string, Piece[]> {
  return new Map(
    results
      .filter(({ regions }) => regions.length > 0)
      .map(({ contig, regions }) => [
        contig,
        regions.map(({ start, end }) => ({ header: `${contig}:${start}-${end}`, start, end })),
      ]),
  );
}

/** The batch's frames and the predictions of those that are not quarantined; these are added to `quarantined`. */
async function classifyBatch(
  { store, classifier }: Pick<ClassifySampleInput, 'store' | 'classifier'>,
  batch: EmbeddedBatch,
  quarantined: Map<string, QuarantinedFrame>,
): Promise<{ ids: readonly string[]; predictions: Prediction[] }> {
  const { ids } = await readFrames(await store.get(batch.frames));
  const nucleotide = await findEmbeddings(store, batch.embeddings['dnabert-s']);
  const protein = await findEmbeddings(store, batch.embeddings['esm-2']);
  const left = new Set<string>();
  for (const [stage, side] of [
    ['dnabert-s', nucleotide],
    ['esm-2', protein],
  ] as const) {
    for (const { id, reason } of side.quarantined ?? []) {
      left.add(id);
      quarantined.set(id, { id, stage, reason });
    }
  }
  const features = mergeFeatures(ids, nucleotide, protein, left);
  assertTakes(classifier.inputSize, [nucleotide.width, protein.width]);
  if (features.ids.length === 0) return { ids, predictions: [] };
  return { ids, predictions: toPredictions(features.ids, await classifier.predict(features.vectors)) };
}

async function findEmbeddings(store: ArtifactStore, { key, origin }: EmbeddingsKey): Promise<Embeddings> {
  const file = await store.peek(key);
  if (file === undefined) {
    throw new ArtifactInvalid({ what: 'embeddings are missing', where: key, next: 'They will be made again' });
  }
  return readEmbeddings(file, digestOfOrigin(origin));
}
