import { log } from '@temporalio/activity';
import { StorageError } from '../contract/failures.js';

/**
 * Writes a report. One that cannot be drawn is a bug, but the results are there: they must not fail with it, and
 * `virnucpro report` writes it again and says what is wrong.
 * @throws StorageError, to be tried again.
 */
export async function drawReport(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (error instanceof StorageError) throw error;
    log.warn('report not written', { reason: error instanceof Error ? error.stack : String(error) });
  }
}
