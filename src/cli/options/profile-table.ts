import type { OptionTable, OptionValues } from './option-table.js';
import { CALL_TOKENS, DEVICE, JSON_OUTPUT, MODEL, PRECISION, THREADS } from './shared-options.js';
import { text, wholeNumber } from './value-types.js';

/** Every option of `profile`. */
export const PROFILE_OPTIONS = {
  model: MODEL,
  precision: PRECISION,
  device: DEVICE,
  minBatch: { ...CALL_TOKENS, help: 'smallest call', defaultText: 'one sequence' },
  maxBatch: { ...CALL_TOKENS, help: 'largest call', default: 8192 },
  step: { ...CALL_TOKENS, help: 'from one call size to the next', defaultText: 'twice as much each time' },
  testFile: {
    takes: '<file>',
    help: 'FASTA file of what to embed',
    type: text(),
    defaultText: 'made up, 500 bases or 166 residues each',
  },
  rounds: {
    takes: '<n>',
    help: 'times that each size is measured; the median counts',
    type: wholeNumber({ min: 1, max: 100 }),
    default: 3,
  },
  threads: THREADS,
  output: { short: '-o', takes: '<file>', help: 'write what --json prints to this file, too', type: text() },
  json: JSON_OUTPUT,
} as const satisfies OptionTable;

/** Checked options of `profile`. */
export type ProfileOptions = OptionValues<typeof PROFILE_OPTIONS>;
