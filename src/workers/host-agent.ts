import { hostname } from 'node:os';
import { Client } from '@temporalio/client';
import { Runtime, Worker, type WorkerOptions, type WorkflowBundleOption } from '@temporalio/worker';
import type { WarmLane } from '../activities/hold-lane.js';
import { createCpuActivities, createLeaseActivities } from '../activities/index.js';
import { prefixed } from '../contract/activity-names.js';
import { HEARTBEAT_THROTTLE_MS } from '../contract/defaults.js';
import { DEVICE_KINDS, type Device } from '../contract/devices.js';
import { CONTROL_QUEUE, CPU_QUEUE, leaseQueue } from '../contract/queues.js';
import { exists } from '../io/exists.js';
import type { WorkerConnection } from './connection.js';
import { freeMemory } from './free-memory.js';
import { HostMetrics } from './host-metrics.js';
import { LaneHandle } from './lane-handle.js';
import { LanePool } from './lane-pool.js';
import type { Logger } from './log.js';
import type { Role } from './roles.js';
import { restartStuckRuns } from './stuck-runs.js';
import { workflowBundle } from './workflow-bundle.js';

/** How to run a {@link HostAgent}. */
export interface HostAgentOptions {
  roles: readonly Role[];
  /** Devices that the role `lanes` serves. */
  devices: Device[];
  connection: WorkerConnection;
  log: Logger;
  /** Name of this host in queues and reports. */
  host?: string;
  /** Workflow code of the role `control`; by default what was built with this package. */
  workflowBundle?: WorkflowBundleOption;
  /** Environment of lane processes, which connect to the server by it; by default this process's. */
  laneEnv?: NodeJS.ProcessEnv;
}

/** Splits and classifications that a host runs at once; each keeps about one core busy. */
const CPU_ACTIVITIES = 4;

/**
 * One host's part in the work: `control` runs workflows, `cpu` the activities without a model, `lanes` serves lease
 * offers with its devices. Each role is a worker of its own on its own queue. Its metrics go to the process's Temporal
 * runtime, whoever installed that.
 */
export class HostAgent {
  private readonly stop = new AbortController();

  private constructor(
    private readonly workers: Worker[],
    private readonly pool: LanePool<LaneHandle>,
    private readonly watch: (signal: AbortSignal) => Promise<void>,
  ) {}

  static async create(options: HostAgentOptions): Promise<HostAgent> {
    const { roles, connection, log, host = hostname(), laneEnv = process.env } = options;
    const pool = new LanePool<LaneHandle>(options.devices, { hasModel: exists, freeMemory }, host, log);
    const devices = roles.includes('lanes') ? options.devices : [];
    const metrics = new HostMetrics(Runtime.instance().metricMeter, host, devices);
    const workers: Worker[] = [];
    const add = async (worker: WorkerOptions): Promise<void> => {
      workers.push(
        await Worker.create({
          ...connection,
          identity: `${worker.taskQueue}@${host}#${process.pid}`,
          maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
          defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
          ...worker,
        }),
      );
    };
    const bundle = roles.includes('control') ? (options.workflowBundle ?? workflowBundle()) : undefined;
    if (bundle !== undefined) await add({ taskQueue: CONTROL_QUEUE, workflowBundle: bundle });
    if (roles.includes('cpu')) {
      await add({
        taskQueue: CPU_QUEUE,
        activities: prefixed(createCpuActivities()),
        maxConcurrentActivityTaskExecutions: CPU_ACTIVITIES,
      });
    }
    for (const kind of DEVICE_KINDS) {
      if (!roles.includes('lanes') || pool.count(kind) === 0) continue;
      const activities = createLeaseActivities({
        host,
        take: (offer) => pool.take(offer),
        spawn: (device, offer) => new LaneHandle(device, offer, log, laneEnv, metrics),
        loaded: (device) => pool.loaded(device),
        retire: (device, reason) => {
          metrics.retired(device);
          pool.retire(device, reason);
        },
        release: (device, warm) => pool.release(device, warm as WarmLane<LaneHandle> | undefined),
      });
      // As many slots as devices: the agent polls for offers only while a device is free, so no host hoards them.
      await add({
        taskQueue: leaseQueue(kind),
        activities: prefixed(activities),
        maxConcurrentActivityTaskExecutions: pool.count(kind),
      });
    }
    log.info({ roles, host, devices: options.devices }, 'agent started');
    const client = new Client(connection);
    return new HostAgent(workers, pool, async (signal) => {
      if (bundle !== undefined) await restartStuckRuns({ client, workflowBundle: bundle, log, signal });
    });
  }

  /** Works until {@link shutdown}; then ends its leases and lanes. */
  async run(): Promise<void> {
    const runs = [...this.workers.map((worker) => worker.run()), this.watch(this.stop.signal)];
    if (this.stop.signal.aborted) this.shutdown();
    try {
      await Promise.all(runs);
    } finally {
      this.shutdown();
      await Promise.allSettled(runs);
      await this.pool.close();
    }
  }

  /** Drains: no new work, leases end, lanes finish or hand back their batches. */
  shutdown(): void {
    this.stop.abort();
    for (const worker of this.workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  }
}
