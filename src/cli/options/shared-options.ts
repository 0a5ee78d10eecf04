import { availableParallelism } from 'node:os';
import { TOKENS_PER_CALL } from '../../contract/defaults.js';
import { PRECISIONS } from '../../contract/models.js';
import { device, oneOf, text, wholeNumber, yesOrNo } from './value-types.js';

/** Most lanes, and most threads, of a host. */
const MOST = 1024;

// Options that several commands have, with the same flag and meaning.

export const THREADS = {
  short: '-t',
  takes: '<n>',
  help: 'CPU threads',
  type: wholeNumber({ min: 1, max: MOST }),
  default: availableParallelism(),
  defaultText: 'all',
} as const;

export const CPU_BIND = {
  help: 'bind each CPU lane to CPUs of its own (Linux), for agents that have their CPUs to themselves',
  type: yesOrNo(),
  default: false,
} as const;

export const LANE_COUNT = { takes: '<n>', type: wholeNumber({ min: 1, max: MOST }), default: 1 } as const;

export const MODEL = {
  short: '-m',
  takes: '<name|path>',
  help: 'model by name, checkpoint folder or file',
  type: text(),
  required: true,
} as const;

export const MODEL_PATH = {
  short: '-p',
  takes: '<file>',
  help: 'classifier checkpoint (.pth or .safetensors)',
  type: text(),
} as const;

export const PRECISION = {
  takes: '<format>',
  help: 'what products are computed in',
  type: oneOf(...PRECISIONS),
  defaultText: 'fp32 on a CPU, fp16 on a GPU',
} as const;

/** Of a command that embeds in its own process. */
export const DEVICE = {
  short: '-d',
  takes: '<device>',
  help: 'what computes: cpu, cuda:N or webgpu:0',
  type: device(),
  default: { kind: 'cpu' },
  defaultText: 'cpu',
} as const;

export const CALL_TOKENS = { takes: '<tokens>', type: wholeNumber(TOKENS_PER_CALL) } as const;

/** For those that take {@link CALL_TOKENS} and else choose them by the model. */
export const BY_MODEL = 'calls of up to about a second of a thread, of one sequence at least';

export const RENAME_DUPLICATES = {
  help: 'call a record whose name came before name_2, name_3, ... instead of refusing it',
  type: yesOrNo(),
  default: false,
} as const;

export const JSON_OUTPUT = { help: 'print one JSON object', type: yesOrNo(), default: false } as const;

export const JSON_ARRAY = { ...JSON_OUTPUT, help: 'print one JSON array' } as const;

export const TEMPORAL_CLI = { takes: '<path>', help: 'Temporal CLI to use', type: text() } as const;
