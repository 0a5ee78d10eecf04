import type { OptionTable } from './option-table.js';
import { JSON_ARRAY, JSON_OUTPUT, TEMPORAL_CLI } from './shared-options.js';
import { text } from './value-types.js';

/** Every option of a command that names a run: `attach`, `report`, `pause`, `cancel`, ... */
export const RUN_OPTIONS = { temporalCli: TEMPORAL_CLI } as const satisfies OptionTable;

/** Every option of `list`. */
export const LIST_OPTIONS = { json: JSON_ARRAY, temporalCli: TEMPORAL_CLI } as const satisfies OptionTable;

/** Every option of `status`. */
export const STATUS_OPTIONS = {
  outputDir: {
    short: '-o',
    takes: '<dir>',
    help: 'the run whose results this folder holds',
    type: text(),
    flagOnly: true,
  },
  json: JSON_OUTPUT,
  temporalCli: TEMPORAL_CLI,
} as const satisfies OptionTable;
