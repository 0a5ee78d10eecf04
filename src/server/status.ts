import { realpath } from 'node:fs/promises';
import { serverAddress, uiUrl } from './dev-server.js';
import { readPorts } from './ports.js';
import { stateFile, stateFolderId } from './state-folder.js';
import { SupervisorLink, type Phase } from './supervisor-lock.js';

/** What `virnucpro server status` knows. */
export type ServerStatus =
  | { running: false; stateDir: string }
  | { running: true; stateDir: string; phase: Phase; supervisorPid: number; address: string; uiUrl: string };

/**
 * Whether a supervisor runs for this state folder. Changes nothing, makes nothing.
 * @throws ServerError when another program holds the supervisor's port.
 */
export async function serverStatus(stateDir: string): Promise<ServerStatus> {
  const ports = await readPorts(stateFile(stateDir, 'ports.json'));
  if (ports === undefined) return { running: false, stateDir };
  const dir = await realpath(stateDir);
  const folder = { dir, id: stateFolderId(dir), ports };
  const link = await SupervisorLink.connect(folder);
  if (link === undefined) return { running: false, stateDir: dir };
  link.disconnect();
  const { phase, pid } = link.message;
  return {
    running: true,
    stateDir: dir,
    phase,
    supervisorPid: pid,
    address: serverAddress(folder),
    uiUrl: uiUrl(folder),
  };
}
