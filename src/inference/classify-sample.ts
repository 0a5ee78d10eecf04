import path from 'node:path';
import type { ArtifactRef } from '../contract/artifacts.js';
import { ArtifactInvalid, ModelError } from '../contract/failures.js';
import type { SampleCounts } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
import type { ArtifactStore } from '../io/artifact-store.js';
import { readContigs } from '../io/contigs-file.js';
import { type Embeddings, readEmbeddings } from '../io/embeddings-file.js';
import { readFrames } from '../io/frames-file.js';
import { type Origin, digestOfOrigin } from '../io/origin.js';
import {
  type QuarantinedFrame,
  type ResultFile,
  writeAccounting,
  writeConsensus,
  writePredictions,
  writeQuarantine,
} from '../io/tables.js';
import { type AccountingRow, accountContigs, checkLaws } from '../scoring/accounting.js';
import { type Prediction, toPredictions } from '../scoring/classify.js';
import { type ChunkCall, Consensus, isVirus } from '../scoring/consensus.js';
import { mergeFeatures } from '../scoring/merge-features.js';

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
  outputDir: string;
  /** Name of the input file without its suffix. */
  stem: string;
  /** Called after each batch with how many are done; what it throws stops the sample and leaves no table behind. */
  onBatch?: (done: number) => void;
}

export interface ClassifySampleOutput {
  counts: SampleCounts;
  /** prediction_results.txt, prediction_results_highestscore.csv, accounting.tsv, quarantined.tsv. */
  files: ResultFile[];
}

/**
 * Scores every embedded frame of a sample and writes its tables, batch by batch: memory holds one batch, one best score
 * a chunk and one row a contig. No table appears unless the accounting adds up.
 * @throws ArtifactInvalid when an artifact is missing or not what it should be, or embeddings are of other frames;
 *   ModelError when the classifier wants another width or gives no numbers; StorageError when the disk refuses;
 *   InternalError when the accounting does not add up.
 */
export async function classifySample(input: ClassifySampleInput): Promise<ClassifySampleOutput> {
  const { outputDir, stem } = input;
  const contigs = await readContigs(await input.store.get(input.contigs));
  const consensus = new Consensus();
  const quarantined = new Map<string, QuarantinedFrame>();
  let called = 0;
  let viral = 0;
  let calls: ChunkCall[] = [];
  let rows: AccountingRow[] = [];

  async function* predictions(): AsyncGenerator<Prediction> {
    for (const [index, batch] of input.batches.entries()) {
      for (const prediction of await classifyBatch(input, batch, quarantined)) {
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

  const merged = path.join(outputDir, `${stem}_merged`);
  const files = [
    await writePredictions(path.join(merged, 'prediction_results.txt'), predictions()),
    await writeConsensus(path.join(merged, 'prediction_results_highestscore.csv'), calls),
    await writeAccounting(path.join(outputDir, 'accounting.tsv'), rows),
    await writeQuarantine(path.join(outputDir, 'quarantined.tsv'), quarantined.values()),
  ];
  const sum = (count: (row: AccountingRow) => number): number => rows.reduce((total, row) => total + count(row), 0);
  const counts = {
    contigs: rows.length,
    contigsCalled: sum((row) => Number(row.status === 'called')),
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

/** Also adds the batch's quarantined frames to `quarantined`. */
async function classifyBatch(
  { store, classifier }: Pick<ClassifySampleInput, 'store' | 'classifier'>,
  batch: EmbeddedBatch,
  quarantined: Map<string, QuarantinedFrame>,
): Promise<Prediction[]> {
  const frames = await readFrames(await store.get(batch.frames));
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
  const features = mergeFeatures(frames.ids, nucleotide, protein, left);
  if (features.width !== classifier.inputSize) {
    throw new ModelError({
      what: `classifier takes ${classifier.inputSize} features, the models give ${nucleotide.width} + ${protein.width}`,
      next: 'Use the classifier that was trained for these two models',
    });
  }
  if (features.ids.length === 0) return [];
  return toPredictions(features.ids, await classifier.predict(features.vectors));
}

async function findEmbeddings(store: ArtifactStore, { key, origin }: EmbeddingsKey): Promise<Embeddings> {
  const file = await store.peek(key);
  if (file === undefined) {
    throw new ArtifactInvalid({ what: 'embeddings are missing', where: key, next: 'They will be made again' });
  }
  return readEmbeddings(file, digestOfOrigin(origin));
}
