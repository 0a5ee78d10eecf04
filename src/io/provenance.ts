import { z } from 'zod';
import { InternalError } from '../contract/failures.js';
import { PRECISIONS } from '../contract/models.js';
import { STAGES } from '../contract/stages.js';
import { type ResultFile, writeText } from './tables.js';

/** Name of the record in a sample's folder. */
export const PROVENANCE = 'provenance.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const file = z.strictObject({ path: z.string(), bytes: z.int().nonnegative(), sha256 });
/** How a stage went for all samples that were taken together with this one. */
const stage = z.strictObject({
  started: z.iso.datetime(),
  /** File batches that were embedded, and those whose finished artifact was found. */
  embedded: z.int(),
  reused: z.int(),
  frames: z.int(),
  tokens: z.int(),
  modelLoads: z.int(),
  quarantined: z.int(),
  /** Tasks that a lane was given again. */
  retries: z.int(),
  seconds: z.number(),
});
/** What a lane did for a stage, and when: seconds from the stage's start. */
const lane = z.strictObject({
  stage: z.enum(STAGES),
  host: z.string(),
  device: z.string(),
  batches: z.int(),
  frames: z.int(),
  tokens: z.int(),
  /** Of model calls. */
  busySeconds: z.number(),
  modelLoads: z.int(),
  /** Times that its process, or the host under it, went away by itself. */
  losses: z.int(),
  /** Of one that finished a batch: the most memory its process had, tokens of a call, and what those were before. */
  peakBytes: z.int().optional(),
  tokensPerCall: z.int().optional(),
  reducedFrom: z.int().optional(),
  /** From the start of the model's loading; `ready`: it serves. A load may have begun before the stage. */
  spans: z.array(
    z.strictObject({ from: z.number(), ready: z.number(), to: z.number(), lost: z.literal(true).optional() }),
  ),
});
const model = z.strictObject({
  role: z.enum([...STAGES, 'classifier']),
  path: z.string(),
  /** What identifies the weights: a digest over the checkpoint's tensors or files. */
  digest: z.string(),
  /** Commit of the hub's repository that it is of, where that is known. */
  revision: z.string().optional(),
  /** Of an encoder: what its products were computed in, and whether it was verified at that before the run. */
  precision: z.enum(PRECISIONS).optional(),
  verified: z.boolean().optional(),
  /** Named sizes read from the checkpoint, e.g. `{ layers: 12, width: 768 }`. */
  dims: z.record(z.string(), z.int()),
});

/**
 * What provenance.json may hold. Every object is strict, so that nothing else (an environment, a key, a client's
 * settings) gets into a file that people publish with their results.
 */
export const provenanceSchema = z.strictObject({
  tool: z.literal('virnucpro-temporal'),
  version: z.string(),
  /** When it was written, ISO 8601 UTC. */
  created: z.iso.datetime(),
  /** The FASTA as it was read: `sha256` and `bytes` of the file itself, compressed or not. */
  input: file.extend({ records: z.int().nonnegative() }),
  /** The options that decide what comes out, by their long flag, e.g. `{ 'expected-length': 500 }`. */
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  models: z.array(model),
  /** What made each kind of artifact: the `made_by` of its header. */
  digests: z.record(z.string(), z.string()),
  versions: z.strictObject({
    node: z.string(),
    onnxruntime: z.string(),
    temporalSdk: z.string(),
  }),
  lanes: z.array(lane),
  workflow: z.strictObject({ id: z.string(), runId: z.string(), namespace: z.string() }),
  stages: z.record(z.enum(STAGES), stage),
  /** Seconds by step. */
  timings: z.record(z.string(), z.number().nonnegative()),
  /** What classifySample counted, and whatever else was counted. */
  counts: z.record(z.string(), z.int().nonnegative()),
  files: z.array(file),
});

/** How a sample's results came about: one provenance.json. */
export type Provenance = z.infer<typeof provenanceSchema>;

/**
 * Writes provenance.json.
 * @throws InternalError naming every field that is missing, wrong or not meant to be in it.
 */
export async function writeProvenance(path: string, provenance: Provenance): Promise<ResultFile> {
  const checked = provenanceSchema.safeParse(provenance);
  if (!checked.success) throw new InternalError(`not a provenance record: ${z.prettifyError(checked.error)}`, path);
  return writeText(path, [`${JSON.stringify(checked.data, null, 2)}\n`]);
}
