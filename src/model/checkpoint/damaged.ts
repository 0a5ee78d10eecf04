import { ModelError, type Problem } from '../../contract/failures.js';

/** A file whose bytes are wrong or missing, beside those that are whole and of a kind that is not read. */
export class DamagedCheckpoint extends ModelError {
  constructor(problem: Problem) {
    super(problem);
    // The engine treats both alike.
    this.name = ModelError.name;
  }
}

/** The error of a file that is not what its own structure says: cut short, changed, or made to mislead. */
export function damaged(what: string, where: string, cause?: unknown): DamagedCheckpoint {
  const next = 'The file is damaged or not a checkpoint: download it again';
  return new DamagedCheckpoint({ what, where, next, cause });
}
