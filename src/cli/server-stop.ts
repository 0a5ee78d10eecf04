import { ServerError } from '../contract/failures.js';
import { stateFolderPath } from '../io/user-folders.js';
import { stopServer } from '../server/stop.js';
import { openServed } from './looker.js';
import { openRunIds } from './runs.js';

/** Open runs that a refusal names. */
const SHOWN = 5;

/**
 * Ends server, agent and lanes of this machine's state folder, and says so.
 * @param force also while runs are open.
 * @throws ServerError when runs are open, or it does not end.
 */
export async function stop(force: boolean): Promise<void> {
  if (!force) await refuseOpenRuns();
  const stopped = await stopServer(stateFolderPath());
  console.log(stopped ? 'Stopped' : `not running (state folder ${stateFolderPath()})`);
}

async function refuseOpenRuns(): Promise<void> {
  const served = await openServed();
  if (served === undefined) return;
  try {
    const open = await openRunIds(served.client);
    if (open.length === 0) return;
    const more = open.length > SHOWN ? ` and ${open.length - SHOWN} more` : '';
    throw new ServerError({
      what: `${open.length === 1 ? 'a run is' : `${open.length} runs are`} open: ${open.slice(0, SHOWN).join(', ')}${more}`,
      next: 'Let them end (virnucpro attach RUN), or give --force: finished work is kept, and the same predict commands go on from it',
    });
  } finally {
    await served.close();
  }
}
