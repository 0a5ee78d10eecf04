import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { ArtifactRef } from '../contract/artifacts.js';
import type { Stage } from '../contract/stages.js';
import type { ArtifactStore } from '../io/artifact-store.js';
import { openStore } from '../io/open-store.js';
import { waveManifestKey } from './keys.js';

/** Argument of the `joinManifests` activity. */
export interface JoinManifestsInput {
  /** First sample of the wave. */
  cursor: number;
  stage: Stage;
  manifests: ArtifactRef[];
  store: string;
}

/** Joins samples' manifests into the one that a wave's stages run over, in order. */
export async function joinManifests(input: JoinManifestsInput): Promise<ArtifactRef> {
  const store = openStore(input.store);
  return store.put(waveManifestKey(input.cursor, input.stage), async (joined) => {
    await writeFile(joined, lines(store, input.manifests));
    return input.manifests.reduce((sum, manifest) => sum + manifest.records, 0);
  });
}

async function* lines(store: ArtifactStore, manifests: readonly ArtifactRef[]): AsyncGenerator<Buffer> {
  for (const manifest of manifests) yield* createReadStream(await store.get(manifest)) as AsyncIterable<Buffer>;
}
