import type { OptionTable, OptionValues } from './option-table.js';
import { PRECISION, THREADS } from './shared-options.js';
import { text } from './value-types.js';

/** Every option of `models verify`. */
export const MODELS_VERIFY_OPTIONS = {
  reference: {
    takes: '<file>',
    help: 'vectors to compare with',
    type: text(),
    defaultText: 'our own, of dnabert-s and esm2-3b',
  },
  precision: { ...PRECISION, help: 'what its products are computed in; int8 is compared with fp32, too' },
  threads: THREADS,
} as const satisfies OptionTable;

/** Checked options of `models verify`. */
export type ModelsVerifyOptions = OptionValues<typeof MODELS_VERIFY_OPTIONS>;
