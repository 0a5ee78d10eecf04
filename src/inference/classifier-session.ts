import path from 'node:path';
import { ModelError } from '../contract/failures.js';
import { openCheckpoint } from '../model/checkpoint/open.js';
import { assertFinite } from '../model/finite.js';
import { buildClassifier, CLASSES } from '../model/graph/classifier.js';
import { SessionThread } from './session-thread.js';

/** Rows of every call, the last one filled up: a product of one row takes another kernel, with other rounding. */
const ROWS_PER_CALL = 64;

/** The loaded classifier: features of frames to probabilities. A row's result does not depend on the other rows. */
export class Classifier {
  private constructor(
    private readonly session: SessionThread,
    /** Features a row: nucleotide vector then protein vector. */
    readonly inputSize: number,
  ) {}

  /**
   * @param options.path a classifier checkpoint (.pth or .safetensors).
   * @throws ModelError when it is no classifier or holds NaN or infinity.
   */
  static async open(options: { path: string; threads: number }): Promise<Classifier> {
    const checkpoint = await openCheckpoint(options.path);
    const graph = buildClassifier(checkpoint, path.basename);
    await assertFinite(graph.weights);
    const session = await SessionThread.open(
      { bytes: graph.bytes, weightsFolder: path.dirname(checkpoint.files[0]!) },
      { threads: options.threads, spinning: false },
    );
    return new Classifier(session, graph.inputSize);
  }

  /**
   * Softmax probabilities, float32 [rows, 2]: others, virus.
   * @param features float32 [rows, inputSize].
   * @throws ModelError when the length is no whole number of rows.
   */
  async predict(features: Float32Array): Promise<Float32Array> {
    const { inputSize } = this;
    if (features.length % inputSize !== 0) {
      throw new ModelError({
        what: `${features.length} features are no whole number of rows of ${inputSize}`,
        next: `Use a classifier that was trained on these two encoders' vectors`,
      });
    }
    const rows = features.length / inputSize;
    const probabilities = new Float32Array(rows * CLASSES);
    for (let row = 0; row < rows; row += ROWS_PER_CALL) {
      const data = new Float32Array(ROWS_PER_CALL * inputSize);
      data.set(features.subarray(row * inputSize, (row + ROWS_PER_CALL) * inputSize));
      const called = await this.session.run({ features: { type: 'float32', dims: [ROWS_PER_CALL, inputSize], data } });
      probabilities.set(called.subarray(0, (rows - row) * CLASSES), row * CLASSES);
    }
    return probabilities;
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
