import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { BoundedLog } from '../server/bounded-log.js';
import { keepRunning } from '../server/keep-running.js';
import { ManagedChild } from '../server/managed-child.js';
import type { Gpu } from './choose-devices.js';
import { agentCommand } from './embedded-run.js';
import { cliLog } from './log.js';
import type { OpenRunClient } from './run-client.js';
import { connectService } from './service-connection.js';
import type { Service } from './service.js';

/** Long enough for an agent to finish its session calls (under 3 s each) and hand back its batches. */
const AGENT_GRACE_MS = 15_000;

/** What this machine offers a service while a command runs. */
export interface OwnAgent {
  lanes: number;
  threads: number;
  cpuBind: boolean;
  gpus: readonly Gpu[];
  /** Where its `agent.log` goes. */
  logFolder: string;
}

/**
 * Connects to a service, and serves it with this machine, too, if there is an `agent`.
 * @throws as connectService does.
 */
export async function openServiceRun(
  service: Service,
  { agent, ...waiting }: { agent?: OwnAgent | undefined } & Parameters<typeof connectService>[1],
): Promise<OpenRunClient> {
  const connected = await connectService(service, waiting);
  if (agent === undefined) return { ...connected, outage: () => undefined };
  const own = await keepAgent(service, agent);
  return {
    ...connected,
    outage: own.outage,
    close: async () => {
      await connected.close();
      await own.close();
    },
  };
}

/** Runs this machine's agent, again whenever it dies, until it is closed; then it drains. */
async function keepAgent(
  service: Service,
  { logFolder, ...offered }: OwnAgent,
): Promise<Pick<OpenRunClient, 'outage' | 'close'>> {
  const { command, args } = agentCommand(service, offered);
  // A name of its own: another agent may serve the service with this machine already.
  const host = ['--host', `${hostname()}-${process.pid}`];
  await mkdir(logFolder, { recursive: true });
  const stop = new AbortController();
  let outage: string | undefined;
  const kept = keepRunning(
    {
      start: async () => {
        const log = new BoundedLog(path.join(logFolder, 'agent.log'));
        const child = await ManagedChild.start(
          { command, args: [...args, ...host], env: service.env },
          { log: log.fd, ipc: true },
        ).finally(() => log.close());
        return { exited: child.exited, stop: () => child.stop(AGENT_GRACE_MS) };
      },
      up: () => (outage = undefined),
      down: (why) => {
        outage = `this machine's agent is down (${why instanceof Error ? why.message : String(why)}) and is started again`;
        cliLog().warn({ log: path.join(logFolder, 'agent.log') }, outage);
      },
    },
    stop.signal,
  );
  return {
    outage: () => outage,
    close: async () => {
      stop.abort();
      await kept;
    },
  };
}
