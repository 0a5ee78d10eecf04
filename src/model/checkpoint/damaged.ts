import { ModelError } from '../../contract/failures.js';

/** The error of a file that is not what its own structure says: cut short, changed, or made to mislead. */
export function damaged(what: string, where: string, cause?: unknown): ModelError {
  return new ModelError({ what, where, next: 'The file is damaged or not a checkpoint: download it again', cause });
}
