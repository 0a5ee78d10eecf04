import type { OptionTable, OptionValues } from './option-table.js';
import { DEVICE, JSON_ARRAY, MODEL_PATH, PRECISION, THREADS } from './shared-options.js';
import { text } from './value-types.js';

/** Every option of `models list`. */
export const MODELS_LIST_OPTIONS = { json: JSON_ARRAY } as const satisfies OptionTable;

/** Every option of `models pull`. */
export const MODELS_PULL_OPTIONS = {
  revision: {
    takes: '<revision>',
    help: 'branch, tag or commit of the repository',
    type: text(),
    defaultText: "the hub's main",
  },
} as const satisfies OptionTable;

/** Every option of `models import`. */
export const MODELS_IMPORT_OPTIONS = {
  name: { takes: '<name>', help: 'which model it is', type: text(), defaultText: 'by its sizes and path' },
} as const satisfies OptionTable;

/** Every option of `models verify`. */
export const MODELS_VERIFY_OPTIONS = {
  reference: {
    takes: '<file>',
    help: 'vectors, and perhaps labels, to compare with',
    type: text(),
    defaultText: 'our own, of dnabert-s and esm2-3b',
  },
  modelPath: { ...MODEL_PATH, help: 'classifier (.pth or .safetensors): its labels are compared, too' },
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
