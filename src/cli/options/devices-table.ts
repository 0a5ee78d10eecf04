import type { OptionTable } from './option-table.js';
import { JSON_ARRAY } from './shared-options.js';

/** Every option of `devices`. */
export const DEVICES_OPTIONS = { json: JSON_ARRAY } as const satisfies OptionTable;
