import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { ArtifactRef } from '../contract/artifacts.js';
import type { Stage } from '../contract/stages.js';
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
    const out = createWriteStream(joined);
    for (const manifest of input.manifests) {
      await pipeline(createReadStream(await store.get(manifest)), out, { end: false });
    }
    await new Promise<void>((resolve, reject) => out.once('error', reject).end(resolve));
    return input.manifests.reduce((sum, manifest) => sum + manifest.records, 0);
  });
}
