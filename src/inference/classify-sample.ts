import path from 'node:path';
import type { ArtifactRef } from '../contract/artifacts.js';
import { InternalError, ModelError } from '../contract/failures.js';
import type { SampleCounts } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
import { readArrowFile } from '../io/arrow-file.js';
import type { ArtifactStore } from '../io/artifact-store.js';
import { readEmbeddings } from '../io/embeddings-file.js';
import { type ResultFile, writeAccounting, writeConsensus, writePredictions } from '../io/tables.js';
import { type AccountingRow, type SplitContig, accountContigs, checkLaws } from '../scoring/accounting.js';
import { type Prediction, toPredictions } from '../scoring/classify.js';
import { type ChunkCall, Consensus, isVirus } from '../scoring/consensus.js';
import { mergeFeatures } from '../scoring/merge-features.js';

/** What scores merged features: `rows x inputSize` floats in, `rows x 2` softmax (others, virus) out. */
export interface FeatureClassifier {
  readonly inputSize: number;
  predict(features: Float32Array): Promise<Float32Array>;
}

/** A file batch and its vectors from both stages. */
export interface EmbeddedBatch {
  frames: ArtifactRef;
  embeddings: Record<Stage, ArtifactRef>;
}

export interface ClassifySampleInput {
  store: ArtifactStore;
  /** The sample's contigs, one row a record in input order. */
  contigs: ArtifactRef;
  /** Every file batch of the sample, in input order. */
  batches: readonly EmbeddedBatch[];
  classifier: FeatureClassifier;
  /** Frames that no lane could embed; their rows may be missing from the embeddings. */
  quarantined?: ReadonlySet<string>;
  outputDir: string;
  /** Name of the input file without its suffix. */
  stem: string;
  /** Called after each batch with how many are done; what it throws stops the sample and leaves no table behind. */
  onBatch?: (done: number) => void;
}

export interface ClassifySampleOutput {
  counts: SampleCounts;
  /** prediction_results.txt, prediction_results_highestscore.csv, accounting.tsv. */
  files: ResultFile[];
}

/**
 * Scores every embedded frame of a sample and writes its tables, batch by batch: memory holds one batch, one best score
 * a chunk and one row a contig. No table appears unless the accounting adds up.
 * @throws ArtifactInvalid when an artifact is not what its reference says or the embeddings are of other frames;
 *   ModelError when the classifier wants another width or gives no numbers; StorageError when the disk refuses;
 *   InternalError when the accounting does not add up.
 */
export async function classifySample(input: ClassifySampleInput): Promise<ClassifySampleOutput> {
  const { outputDir, stem, quarantined = new Set<string>() } = input;
  const contigs = await readContigs(input.store, input.contigs);
  const consensus = new Consensus();
  let called = 0;
  let viral = 0;
  let calls: ChunkCall[] = [];
  let rows: AccountingRow[] = [];

  async function* predictions(): AsyncGenerator<Prediction> {
    for (const [index, batch] of input.batches.entries()) {
      for (const prediction of await classifyBatch(input.store, batch, input.classifier, quarantined)) {
        consensus.add(prediction);
        called += 1;
        if (prediction.label === 'virus') viral += 1;
        yield prediction;
      }
      input.onBatch?.(index + 1);
    }
    calls = consensus.sorted();
    rows = accountContigs(contigs, calls, quarantined);
    checkLaws(rows, called, quarantined.size);
  }

  const merged = path.join(outputDir, `${stem}_merged`);
  const files = [
    await writePredictions(path.join(merged, 'prediction_results.txt'), predictions()),
    await writeConsensus(path.join(merged, 'prediction_results_highestscore.csv'), calls),
    await writeAccounting(path.join(outputDir, 'accounting.tsv'), rows),
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

async function classifyBatch(
  store: ArtifactStore,
  batch: EmbeddedBatch,
  classifier: FeatureClassifier,
  quarantined: ReadonlySet<string>,
): Promise<Prediction[]> {
  const frames = await readArrowFile(await store.get(batch.frames), { kind: 'frames' });
  const nucleotide = await readEmbeddings(await store.get(batch.embeddings['dnabert-s']));
  const protein = await readEmbeddings(await store.get(batch.embeddings['esm-2']));
  const features = mergeFeatures(frames.strings('id'), nucleotide, protein, quarantined);
  if (features.width !== classifier.inputSize) {
    throw new ModelError({
      what: `classifier takes ${classifier.inputSize} features, the models give ${nucleotide.width} + ${protein.width}`,
      next: 'Use the classifier that was trained for these two models',
    });
  }
  if (features.ids.length === 0) return [];
  return toPredictions(features.ids, await classifier.predict(features.vectors));
}

async function readContigs(store: ArtifactStore, ref: ArtifactRef): Promise<SplitContig[]> {
  const file = await readArrowFile(await store.get(ref), { kind: 'contigs' });
  const length = file.uint32('length');
  const chunks = file.uint32('chunks');
  const chunksNoOpenFrame = file.uint32('chunks_no_open_frame');
  const frames = file.uint32('frames');
  const reasons = file.strings('reason');
  return file.strings('id').map((id, i) => ({
    id,
    length: length[i]!,
    chunks: chunks[i]!,
    chunksNoOpenFrame: chunksNoOpenFrame[i]!,
    frames: frames[i]!,
    reason: toReason(reasons[i]!, id),
  }));
}

const SPLIT_REASONS = ['', 'empty', 'too_short', 'no_open_frame'] as const;

function toReason(reason: string, contig: string): SplitContig['reason'] {
  const known = SPLIT_REASONS.find((one) => one === reason);
  if (known === undefined) throw new InternalError(`unknown reason ${reason}`, `contig ${contig}`);
  return known;
}
