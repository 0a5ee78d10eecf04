import type { OptionTable, OptionValues } from './option-table.js';
import { LANE_COUNT, TEMPORAL_CLI, THREADS } from './shared-options.js';
import { device, listOf } from './value-types.js';

/** Every option of `server start`. */
export const SERVER_START_OPTIONS = {
  temporalCli: TEMPORAL_CLI,
  lanes: { ...LANE_COUNT, help: 'CPU lanes that runs beside it may use' },
  threads: { ...THREADS, help: 'CPU threads that all lanes share' },
  devices: {
    takes: '<list>',
    help: 'GPUs that they may use, too, e.g. cuda:0,cuda:1 or webgpu:0',
    type: listOf(device()),
    default: [],
    defaultText: 'none',
  },
} as const satisfies OptionTable;

/** Checked options of `server start`. */
export type ServerStartOptions = OptionValues<typeof SERVER_START_OPTIONS>;
