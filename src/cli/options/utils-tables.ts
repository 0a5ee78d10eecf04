import type { OptionTable } from './option-table.js';
import { text, wholeNumber, yesOrNo } from './value-types.js';

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

/** Every option of `utils generate-config`. */
export const UTILS_GENERATE_CONFIG_OPTIONS = {
  output: { short: '-o', takes: '<file>', help: 'where to', type: text(), default: 'virnucpro_config.yaml' },
} as const satisfies OptionTable;

/** Every option of `utils validate-checkpoints`. */
export const UTILS_VALIDATE_CHECKPOINTS_OPTIONS = {
  skipLoad: { help: 'of models look at sizes and structure only, not at all bytes', type: yesOrNo(), default: false },
} as const satisfies OptionTable;
