import { setTimeout as sleep } from 'node:timers/promises';
import { ServerError } from '../contract/failures.js';
import { stateFolderPath } from '../io/user-folders.js';
import { serverStatus } from '../server/status.js';
import type { CampaignResult } from '../contract/run.js';
import { campaignHandle, endedResult, followCampaign } from './campaign-client.js';
import { openDisplay } from './display.js';
import { finishRun } from './finish-run.js';
import { type Looker, openLooker } from './looker.js';
import { type NamedRun, namedRun } from './named-run.js';
import { findRun, unknownRun } from './runs.js';
import { reportEnd } from './summary.js';

/** When the command that runs the server ends, another one takes over within a second or two, or none does. */
const HANDOVER_MS = 5_000;

const POLL_MS = 500;

/**
 * Shows a run, named by id or folder, that others serve until it ends, and exits as `predict` does, at once when it has ended
 * already. Ctrl-C only leaves.
 * @throws ServerError when no command serves it (any more); RunFailed; OptionError.
 */
export async function attach(run: string, temporalCli?: string): Promise<void> {
  const named = await namedRun(run);
  const looker = await openLooker(named, temporalCli);
  if (looker === undefined) throw unknownRun(named.id);
  try {
    await watch(looker, named);
  } finally {
    await looker.close();
  }
}

async function watch(looker: Looker, { id, folder, record }: NamedRun): Promise<void> {
  const { memo, status } = await findRun(looker, id);
  const open = status.name === 'RUNNING';
  if (open && !looker.served) throw unserved();
  const result = open ? await watchOpen(looker, id) : await endedResult(looker.client, id);
  if (result === undefined) return void process.stderr.write(`Left ${id} running\n`);
  // A copy of the folder is another place.
  if (folder !== undefined && record?.outputDir === folder) await finishRun(result, folder, record);
  await reportEnd(result, folder ?? String(memo?.['outputDir']));
}

/** The result of a run when it ends; undefined when the watcher leaves it. */
async function watchOpen({ client, service }: Looker, id: string): Promise<CampaignResult | undefined> {
  const display = openDisplay(process.stderr);
  const left = new Promise<undefined>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(undefined));
  });
  const over = new AbortController();
  try {
    const following = followCampaign(client, campaignHandle(client, id), display.show);
    const gone = service === undefined ? [serverGone(over.signal)] : [];
    return await Promise.race([following, left, ...gone]);
  } finally {
    over.abort();
    display.close();
  }
}

/** Throws when nobody has run the server for a while. */
async function serverGone(over: AbortSignal): Promise<never> {
  let lastSeen = Date.now();
  for (;;) {
    await sleep(POLL_MS, undefined, { signal: over, ref: false });
    if ((await serverStatus(stateFolderPath())).running) lastSeen = Date.now();
    else if (Date.now() - lastSeen > HANDOVER_MS) throw unserved();
  }
}

function unserved(): ServerError {
  return new ServerError({
    what: 'no virnucpro command serves this run: it stands still',
    next: 'The same predict command goes on with it',
  });
}
