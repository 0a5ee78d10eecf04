import { SCORE_TOLERANCE } from '../../contract/defaults.js';
import type { OptionTable, OptionValues } from './option-table.js';
import { JSON_OUTPUT } from './shared-options.js';
import { numberWithin, text } from './value-types.js';

/** Every option of `compare`. */
export const COMPARE_OPTIONS = {
  tolerance: {
    takes: '<score>',
    help: 'largest difference of two scores that counts as none',
    type: numberWithin({ min: 0, max: 1 }),
    default: SCORE_TOLERANCE,
  },
  csv: { takes: '<file>', help: 'write the rows that differ, with both values', type: text() },
  json: JSON_OUTPUT,
} as const satisfies OptionTable;

/** Checked options of `compare`. */
export type CompareOptions = OptionValues<typeof COMPARE_OPTIONS>;
