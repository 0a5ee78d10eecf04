import { byteText } from '../../io/figure-text.js';
import { removeModel } from '../../model/store/remove.js';
import { interruption } from '../run.js';
import { sayWaiting } from './waiting.js';

/**
 * Removes a model and its reduced weights from our cache and says what that freed.
 * @throws ModelError when it is not ours to remove; StorageError.
 */
export async function remove(name: string): Promise<void> {
  const lock = { onWait: sayWaiting, signal: interruption() };
  const { path, freed, reduced, kept } = await removeModel(name, process.env, lock);
  const linked = kept === 0 ? '' : `; ${byteText(kept)} stay, hard-linked from where they were imported`;
  const alone = path === undefined;
  const ofIt = reduced === 0 || alone ? '' : `, ${byteText(reduced)} of it from reduced weights`;
  console.log(`${alone ? `reduced weights of ${name}` : path}: removed, ${byteText(freed)} freed${ofIt}${linked}`);
}
