import type { ModelRef } from '../contract/models.js';
import type { ManifestEntry } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
import { RUNTIME } from '../inference/ort-backend.js';
import type { Origin } from '../io/origin.js';
import { embeddingsPrefix } from './keys.js';

/** Changes when the same input and model would give other vectors. */
const RULE = 1;

/** Where one file batch's embeddings are published, and all that decides their values. */
export function embeddingArtifact(
  stage: Stage,
  model: ModelRef,
  entry: ManifestEntry,
): { key: string; origin: Origin } {
  const { batch, frames } = entry;
  return {
    key: `${embeddingsPrefix(entry)}${stage}/batch-${String(batch).padStart(5, '0')}.arrow`,
    origin: {
      kind: 'embeddings',
      rule: RULE,
      stage,
      frames: frames.sha256,
      model: model.digest,
      precision: model.precision,
      runtime: RUNTIME,
    },
  };
}
