import type { OptionTable, OptionValues } from './option-table.js';
import { wholeNumber } from './value-types.js';

/** Every option of `utils validate`. */
export const UTILS_VALIDATE_OPTIONS = {
  maxErrors: {
    short: '-e',
    takes: '<n>',
    help: 'problems to name; the others are counted',
    type: wholeNumber({ min: 1, max: 1_000_000 }),
    default: 10,
  },
} as const satisfies OptionTable;

/** Checked options of `utils validate`. */
export type UtilsValidateOptions = OptionValues<typeof UTILS_VALIDATE_OPTIONS>;
