import type { ArtifactStore } from './artifact-store.js';
import { LocalStore } from './local-store.js';
import { S3Store } from './s3-store.js';
import { isUri } from './store-uri.js';

/**
 * The store that a run's `outputDir` names: a folder, seen by every host of the run under this path, or
 * `s3://bucket/prefix`.
 * @throws OptionError for a uri that is none of these.
 */
export function openStore(root: string): ArtifactStore {
  return isUri(root) ? new S3Store(root) : new LocalStore(root);
}
