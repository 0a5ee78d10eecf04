import { byteText } from '../../io/figure-text.js';
import { removeModel } from '../../model/store/remove.js';
import { interruption } from '../run.js';
import { sayWaiting } from './waiting.js';

/**
 * Removes a model from our cache and says what that freed.
 * @throws ModelError when it is not ours to remove; StorageError.
 */
export async function remove(name: string): Promise<void> {
  const { path, freed, kept } = await removeModel(name, process.env, { onWait: sayWaiting, signal: interruption() });
  const linked = kept === 0 ? '' : `; ${byteText(kept)} stay, hard-linked from where they were imported`;
  console.log(`${path}: removed, ${byteText(freed)} freed${linked}`);
}
