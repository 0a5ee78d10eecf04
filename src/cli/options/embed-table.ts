import type { OptionTable, OptionValues } from './option-table.js';
import { BY_MODEL, CALL_TOKENS, DEVICE, JSON_OUTPUT, MODEL, PRECISION, THREADS } from './shared-options.js';
import { text } from './value-types.js';

/** Every option of `embed`. */
export const EMBED_OPTIONS = {
  model: MODEL,
  output: {
    short: '-o',
    takes: '<file>',
    help: 'Arrow IPC file with columns id and vector',
    type: text(),
    required: true,
  },
  precision: PRECISION,
  device: DEVICE,
  threads: THREADS,
  tokensPerCall: {
    ...CALL_TOKENS,
    help: 'tokens of one model call, padding included; virnucpro profile recommends it',
    defaultText: BY_MODEL,
  },
  json: { ...JSON_OUTPUT, help: 'print what was done, and how fast, as one JSON object' },
} as const satisfies OptionTable;

/** Checked options of `embed`. */
export type EmbedOptions = OptionValues<typeof EMBED_OPTIONS>;
