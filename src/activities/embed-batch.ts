import { Context } from '@temporalio/activity';
import { STALLED_CALL_MS } from '../contract/defaults.js';
import { ArtifactInvalid } from '../contract/failures.js';
import type { EmbedBatchInput, EmbedBatchOutput, ManifestEntry } from '../contract/run.js';
import type { Embedder } from '../inference/embedder.js';
import { writeEmbeddings } from '../io/embeddings-file.js';
import { readFrames } from '../io/frames-file.js';
import { readJsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';
import { digestOfOrigin } from '../io/origin.js';
import { embeddingArtifact } from './embedding-artifact.js';
import { startHeartbeat } from './heartbeat.js';

/** The lane's model, lent to one batch at a time. */
export interface BatchModel {
  use<T>(work: (embedder: Embedder, loads: number) => Promise<T>): Promise<T>;
}

/**
 * Embeds one file batch on this lane and publishes the vectors, in the batch's order, under its ids.
 * @throws ArtifactInvalid, NonFiniteEmbedding, OutOfMemory, ModelError, StorageError.
 */
export async function embedBatch(input: EmbedBatchInput, model: BatchModel): Promise<EmbedBatchOutput> {
  const signal = Context.current().cancellationSignal;
  const heartbeat = startHeartbeat({ state: 'waiting' });
  try {
    const store = openStore(input.store);
    const [entry] = await readJsonLines<ManifestEntry>(await store.get(input.manifest), input.index, input.index + 1);
    if (entry === undefined) {
      throw new ArtifactInvalid({
        what: `manifest has no line ${input.index + 1}`,
        where: input.manifest.uri,
        next: 'It will be made again',
      });
    }
    const frames = await readFrames(await store.get(entry.frames));
    const sequences = input.stage === 'dnabert-s' ? frames.nucleotides : frames.proteins;

    return await model.use(async (embedder, modelLoads) => {
      heartbeat.stop();
      const running = startHeartbeat({ state: 'running', done: 0, of: sequences.length }, STALLED_CALL_MS);
      try {
        const startedAt = performance.now();
        let tokens = 0;
        const vectors = await embedder.embed(sequences, {
          signal,
          onProgress: (progress) => {
            tokens = progress.tokens;
            running.progress({ state: 'running', ...progress });
          },
        });
        const seconds = (performance.now() - startedAt) / 1000;
        const { key, origin } = embeddingArtifact(input.stage, input.model, entry);
        await store.put(key, (file) =>
          writeEmbeddings(file, digestOfOrigin(origin), { ids: frames.ids, vectors, width: embedder.facts.hidden }),
        );
        return { frames: sequences.length, tokens, seconds, modelLoads };
      } finally {
        running.stop();
      }
    });
  } finally {
    heartbeat.stop();
  }
}
