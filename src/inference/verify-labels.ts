import path from 'node:path';
import { openCheckpoint } from '../model/checkpoint/open.js';
import { buildClassifier } from '../model/graph/classifier.js';
import type { EncoderKind } from '../model/graph/encoder.js';
import { type Prediction, toPredictions } from '../scoring/classify.js';
import { assertTakes, type Features, mergeFeatures } from '../scoring/merge-features.js';
import { Classifier } from './classifier-session.js';
import type { ReferencePredictions, ReferenceVector } from './reference-vectors.js';

/** What a reference states of its sequences, for one of the two encoders that it had. */
export interface StatedLabels {
  predictions: ReferencePredictions;
  /** Kind of the one encoder. */
  kind: EncoderKind;
  /** Vectors of the other. */
  others: ReferenceVector[];
}

/** What a reference states of a frame, and what the classifier says of it now. */
export interface LabelComparison {
  stated: ReferencePredictions['frames'][number];
  found: Prediction;
}

/** Labels of a reference's frames compared. */
export interface LabelCheck {
  /** File of the classifier that was asked. */
  classifier: string;
  /** Which one the reference's labels are of. */
  of: string;
  comparisons: LabelComparison[];
}

/** Whether a frame has the label that the reference states. */
export function isSameLabel({ stated, found }: LabelComparison): boolean {
  return stated.label === found.label;
}

/**
 * Checks that a classifier takes the vectors of the encoder and of the reference's other one, before any is computed.
 * @param file a classifier checkpoint (.pth or .safetensors).
 * @param hidden floats of the encoder's vectors.
 * @throws ModelError when it does not, or is no classifier.
 */
export async function assertClassifierFits(file: string, stated: StatedLabels, hidden: number): Promise<void> {
  const { inputSize } = buildClassifier(await openCheckpoint(file), path.basename);
  assertTakes(inputSize, inOrder(stated.kind, hidden, stated.others[0]!.vector.length), file);
}

/**
 * Scores the reference's frames anew, each by the encoder's own vector and the reference's of the other encoder.
 * @param vectors of the encoder, one for each frame in the reference's order.
 * @throws ModelError when the classifier is none, or does not take these vectors.
 */
export async function compareLabels(
  file: string,
  stated: StatedLabels,
  vectors: readonly Float32Array[],
  threads: number,
): Promise<LabelCheck> {
  const { kind, others, predictions } = stated;
  const ids = predictions.frames.map(({ id }) => id);
  const [nucleotide, protein] = inOrder(
    kind,
    featuresOf(ids, vectors),
    featuresOf(
      ids,
      others.map(({ vector }) => vector),
    ),
  );
  const classifier = await Classifier.open({ path: file, threads });
  try {
    const found = toPredictions(ids, await classifier.predict(mergeFeatures(ids, nucleotide, protein).vectors));
    const comparisons = predictions.frames.map((frame, i) => ({ stated: frame, found: found[i]! }));
    return { classifier: path.resolve(file), of: predictions.classifier, comparisons };
  } finally {
    await classifier.close();
  }
}

/** What is of the encoder and what is of the other one: nucleotides first. */
function inOrder<T>(kind: EncoderKind, own: T, other: T): [T, T] {
  return kind === 'dnabert2' ? [own, other] : [other, own];
}

function featuresOf(ids: readonly string[], vectors: readonly ArrayLike<number>[]): Features {
  const width = vectors[0]!.length;
  const flat = new Float32Array(vectors.length * width);
  vectors.forEach((vector, row) => flat.set(vector, row * width));
  return { ids, vectors: flat, width };
}
