import type { OptionTable, OptionValues } from './option-table.js';
import { DEVICE, PRECISION, THREADS } from './shared-options.js';
import { text } from './value-types.js';

/** Every option of `models verify`. */
export const MODELS_VERIFY_OPTIONS = {
  reference: {
    takes: '<file>',
    help: 'vectors to compare with',
    type: text(),
    defaultText: 'our own, of dnabert-s and esm2-3b',
  },
  precision: {
    ...PRECISION,
    help: 'what its products are computed in; fp16 and int8 are compared with fp32, too',
    default: 'fp32',
    defaultText: 'fp32',
  },
  device: DEVICE,
  threads: THREADS,
} as const satisfies OptionTable;

/** Checked options of `models verify`. */
export type ModelsVerifyOptions = OptionValues<typeof MODELS_VERIFY_OPTIONS>;
