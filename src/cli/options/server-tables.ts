import type { OptionTable } from './option-table.js';
import { CPU_BIND, JSON_OUTPUT, LANE_COUNT, TEMPORAL_CLI, THREADS } from './shared-options.js';
import { device, listOf, yesOrNo } from './value-types.js';

/** Every option of `server start`. */
export const SERVER_START_OPTIONS = {
  temporalCli: TEMPORAL_CLI,
  lanes: { ...LANE_COUNT, help: 'CPU lanes that runs beside it may use' },
  threads: { ...THREADS, help: 'CPU threads that all lanes share' },
  cpuBind: CPU_BIND,
  devices: {
    takes: '<list>',
    help: 'GPUs that they may use, too, e.g. cuda:0,cuda:1 or webgpu:0',
    type: listOf(device()),
    default: [],
    defaultText: 'none',
  },
} as const satisfies OptionTable;

/** Every option of `server stop`. */
export const SERVER_STOP_OPTIONS = {
  force: {
    short: '-f',
    help: 'also while runs are open: their commands cancel them',
    type: yesOrNo(),
    default: false,
    flagOnly: true,
  },
} as const satisfies OptionTable;

/** Every option of `server status`. */
export const SERVER_STATUS_OPTIONS = { json: JSON_OUTPUT } as const satisfies OptionTable;

/** Every option of `server install`. */
export const SERVER_INSTALL_OPTIONS = {
  temporalCli: { ...TEMPORAL_CLI, help: 'Temporal CLI to check' },
} as const satisfies OptionTable;
