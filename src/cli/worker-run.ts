import { parentGone } from '../server/managed-child.js';
import { connectWorker } from '../workers/connection.js';
import { cpuDevices } from '../workers/cpu-devices.js';
import { HostAgent } from '../workers/host-agent.js';
import { createLog, installRuntime } from '../workers/log.js';
import type { WorkerOptions } from './worker.js';

/** Runs this host's agent until SIGTERM or SIGINT, or until the supervisor that started it is gone. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const log = createLog({ role: 'agent' });
  installRuntime(log);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  const supervised = process.send !== undefined;
  let working = true;
  // Started by a supervisor, it goes when the supervisor goes; lanes notice in turn.
  if (supervised) void parentGone().then(() => working && process.kill(process.pid, 'SIGKILL'));

  const connection = await connectWorker(log, stop.signal);
  try {
    const agent = await HostAgent.create({
      roles: options.roles,
      devices: cpuDevices(options.cpuLanes, options.threads),
      connection,
      log,
      host: options.host,
    });
    stop.signal.addEventListener('abort', () => agent.shutdown(), { once: true });
    if (stop.signal.aborted) agent.shutdown();
    await agent.run();
    log.info('agent stopped');
  } finally {
    working = false;
    await connection.connection.close();
    if (process.connected) process.disconnect();
  }
}
