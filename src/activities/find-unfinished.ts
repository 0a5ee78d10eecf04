import path from 'node:path';
import type { ArtifactRef } from '../contract/artifacts.js';
import type { ModelRef } from '../contract/models.js';
import type { ManifestEntry, PendingBatch } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
import { readJsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';
import { findWhole } from '../io/origin.js';
import { embeddingArtifact } from './embedding-artifact.js';
import { startHeartbeat } from './heartbeat.js';

/** Argument of the `findUnfinished` activity. */
export interface FindUnfinishedInput {
  stage: Stage;
  model: ModelRef;
  manifest: ArtifactRef;
  from: number;
  to: number;
  store: string;
}

/**
 * Lines of the manifest in [from, to) whose embeddings are not there, not whole, or were made from something else:
 * what a stage run has left to do after a crash or a change.
 */
export async function findUnfinished(input: FindUnfinishedInput): Promise<PendingBatch[]> {
  const { stage, model, manifest, from, to } = input;
  const store = openStore(input.store);
  const heartbeat = startHeartbeat({ checked: 0 });
  try {
    const entries = await readJsonLines<ManifestEntry>(await store.get(manifest), from, to);
    const artifacts = entries.map((entry) => embeddingArtifact(stage, model, entry));
    // Asked for by the folder: a request for each would take an object store long.
    const published = new Set<string>();
    for (const folder of new Set(artifacts.map(({ key }) => path.posix.dirname(key)))) {
      for (const key of await store.list(folder)) published.add(key);
    }
    const unfinished: PendingBatch[] = [];
    for (const [i, entry] of entries.entries()) {
      const { key, origin } = artifacts[i]!;
      if (!published.has(key) || (await findWhole(store, key, origin)) === undefined) {
        unfinished.push({ index: from + i, frames: entry.frames.records });
      }
      heartbeat.details({ checked: i + 1, of: entries.length });
    }
    return unfinished;
  } finally {
    heartbeat.stop();
  }
}
