import { InternalError, ModelError } from '../contract/failures.js';

/** What the classifier says about a frame. */
export type Label = 'virus' | 'others';

/** One row of prediction_results.txt. */
export interface Prediction {
  /** Frame id, e.g. `contig_chunk_1F1`. */
  id: string;
  label: Label;
  /** P(others), float32. */
  score1: number;
  /** P(virus), float32. */
  score2: number;
}

/** Argmax over (others, virus). A tie is `others`: argmax of torch and numpy takes the first index. */
export function labelOf(score1: number, score2: number): Label {
  return score2 > score1 ? 'virus' : 'others';
}

/**
 * Names the classifier's output.
 * @param probabilities softmax, ids.length x 2, row-major: P(others), P(virus).
 * @throws ModelError naming the first frame whose probabilities are no numbers.
 */
export function toPredictions(ids: readonly string[], probabilities: Float32Array): Prediction[] {
  if (probabilities.length !== ids.length * 2) {
    throw new InternalError(`classifier gave ${probabilities.length} scores for ${ids.length} frames, 2 each expected`);
  }
  return ids.map((id, i) => {
    const score1 = probabilities[2 * i]!;
    const score2 = probabilities[2 * i + 1]!;
    if (!Number.isFinite(score1) || !Number.isFinite(score2)) {
      throw new ModelError({
        what: `classifier gave the scores ${score1} and ${score2}, numbers from 0 to 1 expected`,
        where: `frame ${id}`,
        next: 'Check that the classifier was trained for these two models',
      });
    }
    return { id, label: labelOf(score1, score2), score1, score2 };
  });
}
