import { CHUNK_SIZE } from '../../sequence/chunk.js';
import type { OptionTable, OptionValues } from './option-table.js';
import { RENAME_DUPLICATES } from './shared-options.js';
import { text, wholeNumber } from './value-types.js';

/** Every option of `split`. */
export const SPLIT_OPTIONS = {
  expectedLength: {
    short: '-e',
    takes: '<bases>',
    help: 'length of a chunk',
    type: wholeNumber(CHUNK_SIZE),
    default: 500,
  },
  renameDuplicates: RENAME_DUPLICATES,
  outputDir: { short: '-o', takes: '<dir>', help: 'where the files go', type: text(), default: '.' },
} as const satisfies OptionTable;

/** Checked options of `split`. */
export type SplitOptions = OptionValues<typeof SPLIT_OPTIONS>;
