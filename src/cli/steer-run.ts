import { type Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { HEARTBEAT_MS } from '../contract/defaults.js';
import { RunFailed } from '../contract/failures.js';
import { endRun } from './campaign-client.js';
import { openEmbeddedRun } from './embedded-run.js';
import { openLooker, openServing } from './looker.js';
import { namedRun } from './named-run.js';
import { describeRun, findRun, unknownRun } from './runs.js';

/** A run takes or refuses an update within milliseconds. */
const UPDATE_MS = 30_000;

/**
 * Cancels a run, named by id or folder, and waits for its end. When no command serves the embedded server, this one does
 * for that long, without lanes.
 * @throws OptionError when there is no such run; RunFailed when it has ended.
 */
export async function cancel(run: string, temporalCli?: string): Promise<void> {
  const named = await namedRun(run);
  const { id } = named;
  const server =
    (await openServing(named)) ??
    (await openEmbeddedRun({ lanes: 1, threads: 1, roles: ['control', 'cpu'], temporalCli }));
  try {
    await findRun(server, id);
    if (!(await endRun(server.client, id, HEARTBEAT_MS))) throw ended(id);
    console.log(`Cancelled ${id}; the same predict command starts it again from what is finished`);
  } finally {
    await server.close();
  }
}

/** A message to a run that is named by id or folder. */
export interface RunUpdate {
  run: string;
  /** One of COMMANDS. */
  name: string;
  argument?: object | undefined;
  temporalCli?: string | undefined;
}

/**
 * Sends one of COMMANDS to an open run and returns when the run has taken it.
 * @throws OptionError when there is no such run; RunFailed when it has ended, stands still or refuses.
 */
export async function sendUpdate({ run, name, argument = {}, temporalCli }: RunUpdate): Promise<void> {
  const named = await namedRun(run);
  const { id } = named;
  const looker = await openLooker(named, temporalCli);
  if (looker === undefined) throw unknownRun(id);
  try {
    const { open, state } = await describeRun(looker, id);
    if (!open) throw ended(id);
    if (!looker.served) {
      throw new RunFailed('NotServed', {
        what: `no virnucpro command serves ${id}: it is ${state}`,
        next: 'The same predict command goes on with it',
      });
    }
    await update(looker.client, id, name, argument);
    console.log(`${id}: ${commandOf(name)} is under way`);
  } finally {
    await looker.close();
  }
}

async function update(client: Client, id: string, name: string, argument: object): Promise<void> {
  await client
    .withDeadline(Date.now() + UPDATE_MS, () =>
      client.workflow.getHandle(id).executeUpdate<void, [object]>(name, { args: [argument] }),
    )
    .catch((error: unknown) => {
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
        throw new RunFailed('NotServed', {
          what: `no agent has answered for ${id} within ${UPDATE_MS / 1000} s`,
          next: 'Start one with the role control (virnucpro worker), then give the command again',
        });
      }
      if (!(error instanceof WorkflowUpdateFailedError)) throw error;
      throw new RunFailed('Refused', {
        what: `${id} refuses ${commandOf(name)}: ${error.cause?.message ?? error.message}`,
        next: `See virnucpro status ${id}`,
      });
    });
}

/** What the command of an update is called: `set-max-lanes` of `setMaxLanes`. */
function commandOf(update: string): string {
  return update.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function ended(id: string): RunFailed {
  return new RunFailed('Ended', { what: `${id} has ended already`, next: `See virnucpro status ${id}` });
}
