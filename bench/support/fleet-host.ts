/** `fleet-host HOST LANES BATCH_MS`: an agent whose lanes are simulated; kills the lane that its parent names. */
import process from 'node:process';
import { Worker } from '@temporalio/worker';
import type { WarmLane } from '../../src/activities/hold-lane.js';
import { createLeaseActivities } from '../../src/activities/index.js';
import { prefixed } from '../../src/contract/activity-names.js';
import { HEARTBEAT_THROTTLE_MS } from '../../src/contract/defaults.js';
import { leaseQueue } from '../../src/contract/queues.js';
import { connectWorker } from '../../src/workers/connection.js';
import { cpuDevices } from '../../src/workers/cpu-devices.js';
import { LanePool } from '../../src/workers/lane-pool.js';
import { createLog, installRuntime } from '../../src/workers/log.js';
import { SimulatedLane } from './simulated-lane.js';

const [host, lanes, batchMs] = process.argv.slice(2) as [string, string, string];
const log = createLog({ role: 'fleet host', host });
installRuntime(log);
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const connection = await connectWorker(log);
const devices = cpuDevices(Number(lanes), Number(lanes));
const means = { hasModel: async () => true, freeMemory: async () => Infinity };
const pool = new LanePool<SimulatedLane>(devices, means, host, log);
const living = new Map<number, SimulatedLane>();
process.on('message', (index: number) => living.get(index)?.kill());

const worker = await Worker.create({
  ...connection,
  taskQueue: leaseQueue('cpu'),
  identity: `${host}#${process.pid}`,
  activities: prefixed(
    createLeaseActivities({
      host,
      take: (offer) => pool.take(offer),
      spawn: (device, offer) => {
        const lane = new SimulatedLane(device, offer, connection, Number(batchMs));
        living.set(device.index, lane);
        return lane;
      },
      loaded: (device) => pool.loaded(device),
      retire: (device, reason) => pool.retire(device, reason),
      release: (device, warm) => pool.release(device, warm as WarmLane<SimulatedLane> | undefined),
    }),
  ),
  maxConcurrentActivityTaskExecutions: devices.length,
  maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
  defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
});
await worker.run();
