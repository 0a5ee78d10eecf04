import type { ArtifactStore } from './artifact-store.js';
import { LocalStore } from './local-store.js';

/** The store that a run's `store` option names: a folder, seen by every host of the run. */
export function openStore(root: string): ArtifactStore {
  return new LocalStore(root);
}
