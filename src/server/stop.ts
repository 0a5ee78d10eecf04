import { realpath, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServerError } from '../contract/failures.js';
import { readPorts } from './ports.js';
import { stateFile, stateFolderId } from './state-folder.js';
import { serverStatus } from './status.js';
import { SupervisorLink } from './supervisor-lock.js';

/** A run is cancelled within seconds, an agent given 15 s, and one member after the other may have to leave. */
const PATIENCE_MS = 60_000;

const POLL_MS = 200;

/** When one member leaves, another may take over: so often in a row nobody must be found. */
const POLLS_WITHOUT_ANYBODY = 5;

/**
 * Ends the embedded server of a state folder, its agent and lanes, and the commands that take part in running them; returns
 * when nobody does any more. Nothing is touched but what is of this folder.
 * @returns false when there was nothing to end.
 * @throws ServerError when it does not end, or another program holds the supervisor's port.
 */
export async function stopServer(stateDir: string): Promise<boolean> {
  const ports = await readPorts(stateFile(stateDir, 'ports.json'));
  if (ports === undefined) return false;
  const dir = await realpath(stateDir);
  const folder = { dir, id: stateFolderId(dir), ports };
  const link = await SupervisorLink.connect(folder);
  if (link === undefined) return false;
  try {
    await link.askToStop(folder);
    await nobodyLeft(dir);
  } finally {
    link.disconnect();
    await rm(stateFile(dir, 'stop'), { force: true });
  }
  return true;
}

async function nobodyLeft(dir: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let polls = 0; polls < POLLS_WITHOUT_ANYBODY; await sleep(POLL_MS)) {
    const status = await serverStatus(dir);
    polls = status.running ? 0 : polls + 1;
    if (!status.running || Date.now() < deadline) continue;
    throw new ServerError({
      what: `the embedded Temporal server still runs after ${PATIENCE_MS / 1000} s, supervised by process ${status.supervisorPid}`,
      where: dir,
      next: `See agent.log and server.log there, or end that process: kill ${status.supervisorPid}`,
    });
  }
}
