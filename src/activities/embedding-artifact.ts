import { createHash } from 'node:crypto';
import type { ModelRef } from '../contract/models.js';
import type { ManifestEntry } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
import { RUNTIME } from '../inference/ort-backend.js';

/** Changes when the same input and model would give other vectors. */
const RULE = 1;

/** Where one file batch's embeddings are published, and the digest of all that decides their values. */
export function embeddingArtifact(stage: Stage, model: ModelRef, entry: ManifestEntry): { key: string; madeBy: string } {
  const origin = {
    kind: 'embeddings',
    rule: RULE,
    stage,
    frames: entry.frames.sha256,
    model: model.digest,
    precision: model.precision,
    runtime: RUNTIME,
  };
  return {
    key: `${entry.prefix}embeddings/${stage}/batch-${String(entry.batch).padStart(5, '0')}.arrow`,
    madeBy: createHash('sha256').update(JSON.stringify(origin)).digest('hex'),
  };
}
