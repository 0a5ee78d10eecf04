import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { HEARTBEAT_MS, KEEP_WARM_SECONDS, WAVE_BYTES } from '../contract/defaults.js';
import { OptionError } from '../contract/failures.js';
import { BATCH_SEQUENCES } from '../io/split-sample.js';
import { CHUNK_SIZE } from '../sequence/chunk.js';

const wholeNumber = z.coerce.number().int().min(1);

const UNITS: Readonly<Record<string, number>> = { '': 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

/** `50GB`, `800 MB`, `1e9`: bytes. */
const byteSize = z.string().transform((text, context) => {
  const [, number, unit] = /^([\d.e+]+)\s*(|[kmgt]b)$/i.exec(text.trim()) ?? [];
  const bytes = Number(number) * (UNITS[unit?.toLowerCase() ?? ''] ?? NaN);
  if (!(bytes > 0)) context.addIssue('takes a size such as 50GB');
  return bytes;
});

/** Options of `predict` as the command line gives them; every text is checked here and nowhere else. */
export const predictOptions = z.strictObject({
  outputDir: z.string().min(1).optional(),
  samples: z.string().min(1).optional(),
  /** The original knows models for 300 and 500 bases; own classifiers may use any length. */
  expectedLength: wholeNumber.min(CHUNK_SIZE.min).max(CHUNK_SIZE.max).default(500),
  modelPath: z.string({ error: 'is required: a classifier checkpoint' }).min(1),
  dnaModel: z.string().min(1).default('dnabert-s'),
  proteinModel: z.string().min(1).default('esm2-3b'),
  lanes: wholeNumber.max(1024).default(1),
  threads: wholeNumber.max(1024).default(availableParallelism()),
  batchSequences: wholeNumber.max(BATCH_SEQUENCES.max).optional(),
  persistentModels: z.boolean().default(true),
  keepIntermediate: z.boolean().default(false),
  keepEmbeddings: z.boolean().default(false),
  waveBytes: byteSize.default(WAVE_BYTES),
  keepWarm: z.coerce.number().min(0).default(KEEP_WARM_SECONDS),
  heartbeat: z.coerce
    .number()
    .min(1)
    .default(HEARTBEAT_MS / 1000),
  resume: z.boolean().default(false),
  force: z.boolean().default(false),
  temporalCli: z.string().optional(),
});

/** Checked options of `predict`. */
export type PredictOptions = z.infer<typeof predictOptions>;

/**
 * Checks what commander parsed.
 * @throws OptionError that names the flag, its value and what it takes.
 */
export function parsePredictOptions(raw: unknown): PredictOptions {
  const parsed = predictOptions.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const flag = String(issue!.path[0]).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const value = (raw as Record<string, unknown>)[String(issue!.path[0])];
  throw new OptionError({
    what: `--${flag}${value === undefined ? '' : ` ${String(value)}`}: ${issue!.message}`,
    next: 'See virnucpro predict --help',
  });
}
