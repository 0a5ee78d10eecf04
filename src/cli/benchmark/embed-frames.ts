import type { Precision } from '../../contract/models.js';
import { Embedder } from '../../inference/embedder.js';
import { cacheFolderPath } from '../../io/user-folders.js';
import type { Frame } from '../../sequence/translate.js';
import type { Bench } from './measurement.js';

/** What one model made of the frames, and how quickly. */
export interface EmbeddedFrames {
  /** Seconds from opening the checkpoint to the first vector. */
  load: number;
  /** Tokens a second. */
  speed: number;
  /** float32 [frames, hidden]. */
  vectors: Float32Array;
  hidden: number;
}

/** Loads a model into this process and embeds what it reads of the frames; these are tokenized before the time counts. */
export async function embedFrames(
  model: string,
  frames: readonly Frame[],
  { threads, signal }: Bench,
  precision: Precision = 'fp32',
): Promise<EmbeddedFrames> {
  const embedder = await Embedder.open({ model, precision, cacheDir: cacheFolderPath(), threads });
  try {
    const { kind, loadSeconds, hidden } = embedder.facts;
    const sequences = await embedder.prepare(
      frames.map(({ nucleotide, protein }) => (kind === 'dnabert2' ? nucleotide : protein)),
    );
    let tokens = 0;
    const startedAt = performance.now();
    const vectors = await embedder.embed(sequences, { signal, onProgress: ({ tokensDone }) => (tokens = tokensDone) });
    return { load: loadSeconds, speed: tokens / ((performance.now() - startedAt) / 1000), vectors, hidden };
  } finally {
    await embedder.close();
  }
}
