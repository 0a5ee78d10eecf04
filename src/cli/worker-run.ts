import { Runtime } from '@temporalio/worker';
import type { Device } from '../contract/devices.js';
import { ServerError } from '../contract/failures.js';
import { parentGone } from '../server/managed-child.js';
import { type WorkerConnection, connectWorker } from '../workers/connection.js';
import { ownCores } from '../workers/cpu-affinity.js';
import { cpuDevices } from '../workers/cpu-devices.js';
import { HostAgent } from '../workers/host-agent.js';
import { createLog, installRuntime } from '../workers/log.js';
import { configuredService } from '../workers/service.js';
import { whyAway } from '../workers/service-answer.js';
import { giveSignsOfLife } from '../workers/signs-of-life.js';
import { usableGpus } from './choose-devices.js';
import type { WorkerOptions } from './options/worker-table.js';

/** CPU threads of a GPU's lane: what has no place on the device, and the CPU's part in its proof. */
const GPU_THREADS = 2;

/** Runs this host's agent until SIGTERM or SIGINT, or until the supervisor that started it is gone. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  // Settled before anything keeps this process alive: one that lacks a device ends with its error.
  const devices = await offeredDevices(options).catch((error: unknown) => {
    if (process.connected) process.disconnect();
    throw error;
  });
  const log = createLog({ role: 'agent' });
  installRuntime(log, options.metrics);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  const supervised = process.send !== undefined;
  let working = true;
  // Started by a supervisor, it goes when the supervisor goes; lanes notice in turn.
  if (supervised) void parentGone().then(() => working && process.kill(process.pid, 'SIGKILL'));

  giveSignsOfLife();
  let connection: WorkerConnection | undefined;
  try {
    connection = await connectWorker(log, stop.signal).catch((error: unknown) => {
      // Told to stop while the server was away: there is nothing to give back.
      if (!stop.signal.aborted) throw error;
      return undefined;
    });
    if (connection === undefined) return;
    const agent = await HostAgent.create({
      roles: options.roles,
      devices,
      connection,
      log,
      host: options.host,
    });
    stop.signal.addEventListener('abort', () => agent.shutdown(), { once: true });
    if (stop.signal.aborted) agent.shutdown();
    await agent.run().catch(async (error: unknown) => {
      // A key that was revoked, a namespace that was removed: said as at the start.
      await whyAway(configuredService(process.env)).catch((refusal: unknown) => {
        if (refusal instanceof ServerError) throw refusal;
      });
      throw error;
    });
    log.info('agent stopped');
  } finally {
    working = false;
    // The last connection takes the runtime with it; without one it would keep this process alive.
    await (connection?.connection.close() ?? Runtime.instance().shutdown());
    if (process.connected) process.disconnect();
  }
}

async function offeredDevices({ devices, cpuLanes, threads, cpuBind }: WorkerOptions): Promise<Device[]> {
  const gpus = await usableGpus(devices);
  const hasCpu = devices.some(({ kind }) => kind === 'cpu');
  const cpus = hasCpu ? cpuDevices(cpuLanes, threads, cpuBind ? await ownCores() : undefined) : [];
  return [...cpus, ...gpus.map((gpu) => ({ ...gpu, threads: GPU_THREADS }))];
}
