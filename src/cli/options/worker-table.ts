import { hostname } from 'node:os';
import { ROLES } from '../../workers/roles.js';
import type { OptionTable, OptionValues } from './option-table.js';
import { CPU_BIND, LANE_COUNT, THREADS } from './shared-options.js';
import { device, ipAndPort, listOf, oneOf, text } from './value-types.js';

/** Every option of `worker`. */
export const WORKER_OPTIONS = {
  roles: {
    takes: '<list>',
    help: 'what it does, comma-separated',
    type: listOf(oneOf(...ROLES)),
    default: [...ROLES],
    defaultText: ROLES.join(','),
  },
  devices: {
    takes: '<list>',
    help: 'what its lanes run on, comma-separated, e.g. cpu,cuda:0,cuda:1 or webgpu:0',
    type: listOf(device()),
    default: [{ kind: 'cpu' }],
    defaultText: 'cpu',
  },
  cpuLanes: { ...LANE_COUNT, help: 'CPU lanes that this host offers, if cpu is among --devices' },
  threads: { ...THREADS, help: 'CPU threads that all lanes share' },
  cpuBind: CPU_BIND,
  host: {
    takes: '<name>',
    help: 'name of this host in queues and progress, one of its own for each agent',
    type: text(),
    default: hostname(),
  },
  metrics: {
    takes: '<ip:port>',
    help: 'serve Prometheus metrics there, at /metrics; e.g. 127.0.0.1:9464',
    type: ipAndPort(),
  },
} as const satisfies OptionTable;

/** Checked options of `worker`. */
export type WorkerOptions = OptionValues<typeof WORKER_OPTIONS>;
