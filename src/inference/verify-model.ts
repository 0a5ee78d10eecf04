import path from 'node:path';
import { LEAST_COSINE, VERIFY_TOLERANCE } from '../contract/defaults.js';
import type { DeviceKind } from '../contract/devices.js';
import { InputError } from '../contract/failures.js';
import type { Precision } from '../contract/models.js';
import { nameByLooks } from '../model/catalogue.js';
import { assertFinite } from '../model/checkpoint/finite.js';
import { openCheckpoint } from '../model/checkpoint/open.js';
import { encoderDigest } from '../model/content-digest.js';
import { type ExpectedModel, type Model, openModel } from '../model/model.js';
import { removeStamp, writeStamp } from '../model/stamp.js';
import { version } from '../version.js';
import { Embedder } from './embedder.js';
import { toleranceOf } from './prove-device.js';
import { relativeError } from './relative-error.js';
import { type ReferenceVector, readReferenceVectors } from './reference-vectors.js';
import {
  assertClassifierFits,
  compareLabels,
  isSameLabel,
  type LabelCheck,
  type StatedLabels,
} from './verify-labels.js';

export interface VerifyRequest {
  /** Folder or file of a checkpoint. */
  model: string;
  /** Its catalogue name, when it was asked for by name. */
  name?: string;
  expected?: ExpectedModel;
  /** File of reference vectors. Default: the package's own. */
  reference?: string | undefined;
  /** File of the classifier whose labels are compared with those that the reference states. Default: they are not. */
  classifier?: string;
  /** What its products are computed in. Default fp32. */
  precision?: Precision;
  /** What computes them; what they are compared with in fp32, the CPU does. Default: the CPU. */
  device?: DeviceKind;
  /** Our cache folder. */
  cacheDir: string;
  threads: number;
  signal?: AbortSignal;
}

/** How far two vectors of one sequence are apart. */
export interface Comparison {
  id: string;
  cosine: number;
  /** {@link relativeError}. */
  relativeError: number;
}

/** Vectors compared with those of one kind, a sequence each. */
export interface Check {
  /**
   * Of which kind: `reference`: of another implementation; `alone`: of each sequence by itself, where the others were all
   * in one call; `fp32`: of the same model in fp32.
   */
  against: 'reference' | 'alone' | 'fp32';
  comparisons: Comparison[];
}

/** What a verification found. */
export interface Verification {
  model: string;
  /** Catalogue name, if it is a catalogued model. */
  name?: string;
  /** Content digest ({@link encoderDigest}). */
  digest: string;
  precision: Precision;
  /** Whose vectors it was compared with, if there are any for this model. */
  reference?: string;
  checks: Check[];
  /** Which classifier the reference states labels of, if any for this model. */
  labelsOf?: string;
  /** Labels compared, when a classifier was given. */
  labels?: LabelCheck;
  /** All checks are {@link isGood}, all labels {@link isSameLabel}. */
  passed: boolean;
  /** Where it was written down; only when it passed on a device that computes in this precision ({@link isImitated}). */
  stamp?: string;
}

/**
 * Reads all of a model's weights, then embeds reference sequences with it; below fp32, also in fp32. One that does not pass
 * has no stamp afterwards, also none of before.
 * @throws ModelError when it does not open or holds NaN or infinity, or when the classifier does not fit; InputError when
 *   `reference` does not fit it, or states no labels and a classifier is given.
 */
export async function verifyModel(request: VerifyRequest): Promise<Verification> {
  const {
    model: source,
    classifier,
    precision = 'fp32',
    device = 'cpu',
    cacheDir,
    expected,
    threads,
    signal,
  } = request;
  await assertFinite(await openCheckpoint(source));
  signal?.throwIfAborted();
  const model = await openModel(source, cacheDir, expected);
  const name = request.name ?? nameByLooks({ kind: model.kind, ...model.dims }, source);
  const reference = await referenceFor(model, name, request.reference);
  const { stated } = reference;
  if (classifier !== undefined) {
    if (stated === undefined) throw noLabels(name, reference.source);
    await assertClassifierFits(classifier, stated, model.dims.hidden);
  }
  const sequences = reference.vectors.map(({ sequence }) => sequence);
  const embed = async (at: Precision): Promise<Embedded> => {
    const on = at === precision ? device : 'cpu';
    const embedder = await Embedder.open({
      model: source,
      precision: at,
      device: on,
      cacheDir,
      threads,
      ...(expected && { expected }),
      // Of a model that nobody knows they come one by one, too.
      ...(!reference.known && { sequences: async () => 1 }),
    });
    try {
      const together = rows(await embedder.embed(sequences, signal && { signal }), sequences.length);
      const alone = reference.known || at !== precision ? [] : await oneByOne(embedder, sequences, signal);
      return { together, alone, runtime: embedder.facts.provider };
    } finally {
      await embedder.close();
    }
  };
  const { together, alone, runtime } = await embed(precision);
  const check = (against: Check['against'], wanted: Float32Array[]): Check => ({
    against,
    comparisons: reference.vectors.map(({ id }, row) => compare(id, together[row]!, wanted[row]!)),
  });
  const checks = [
    reference.known
      ? check(
          'reference',
          reference.vectors.map(({ vector }) => Float32Array.from(vector)),
        )
      : check('alone', alone),
    ...(precision === 'fp32' ? [] : [check('fp32', (await embed('fp32')).together)]),
  ];
  const labels = classifier && stated && (await compareLabels(classifier, stated, together, threads));
  const verification: Verification = {
    model: path.resolve(source),
    ...(name !== undefined && { name }),
    digest: await encoderDigest(model, cacheDir),
    precision,
    ...(reference.known && { reference: reference.source }),
    checks,
    ...(stated && { labelsOf: stated.predictions.classifier }),
    ...(labels && { labels }),
    passed:
      checks.every((one) => one.comparisons.every((comparison) => isGood(comparison, one.against, precision))) &&
      (!labels || labels.comparisons.every(isSameLabel)),
  };
  if (!verification.passed) await removeStamp(verification.digest, precision, cacheDir);
  else if (!isImitated(precision, device)) verification.stamp = await stampOf(verification, runtime, cacheDir);
  return verification;
}

/** Whether a device does not compute in a precision: on a CPU, fp16 is weights rounded to it and fp32 for the rest. */
function isImitated(precision: Precision, device: DeviceKind): boolean {
  return precision === 'fp16' && device === 'cpu';
}

/** What one precision gives. */
interface Embedded {
  together: Float32Array[];
  alone: Float32Array[];
  runtime: string;
}

/**
 * Whether a comparison is within what is allowed: {@link VERIFY_TOLERANCE}, but {@link LEAST_COSINE} of a lower precision
 * with vectors of fp32, and {@link DEVICE_TOLERANCE} with vectors of its own. NaN is not.
 */
export function isGood(comparison: Comparison, against: Check['against'], precision: Precision): boolean {
  if (against === 'alone') return comparison.relativeError <= toleranceOf(precision);
  return precision === 'fp32'
    ? comparison.relativeError <= VERIFY_TOLERANCE
    : comparison.cosine >= LEAST_COSINE[precision];
}

interface Reference {
  source: string;
  vectors: ReferenceVector[];
  /** The vectors are this model's; otherwise only the sequences are of use. */
  known: boolean;
  /** What a classifier made of them, if that is known. */
  stated?: StatedLabels;
}

/**
 * Vectors by the model's name; in a file of the caller's own, the only ones, and those that predictions were made of, are meant
 * for a model without.
 */
async function referenceFor(model: Model, name: string | undefined, file: string | undefined): Promise<Reference> {
  const { source, models, predictions } = await readReferenceVectors(file);
  const [ownName, otherName] =
    model.kind === 'dnabert2' ? [predictions?.dna, predictions?.protein] : [predictions?.protein, predictions?.dna];
  const own = models[ownName ?? ''];
  const only = Object.values(models).length === 1 ? Object.values(models)[0] : undefined;
  const vectors = models[name ?? ''] ?? (file === undefined ? undefined : (own ?? only));
  if (vectors === undefined && file === undefined) {
    return { source, vectors: models[model.kind === 'dnabert2' ? 'dnabert-s' : 'esm2-3b']!, known: false };
  }
  const width = vectors?.find(({ vector }) => vector.length !== model.dims.hidden)?.vector.length;
  if (vectors !== undefined && width === undefined) {
    const stated = predictions && vectors === own && { predictions, kind: model.kind, others: models[otherName!]! };
    return { source, vectors, known: true, ...(stated && { stated }) };
  }
  throw new InputError({
    what:
      vectors === undefined
        ? `no vectors of ${name ?? 'this model'}: it has ${Object.keys(models).join(', ')}`
        : `vectors of ${width} numbers, the model gives ${model.dims.hidden}`,
    where: file ?? source,
    next: 'Give a file with vectors of this model, or none',
  });
}

function noLabels(name: string | undefined, source: string): InputError {
  return new InputError({
    what: `no labels to compare with: none are stated for ${name ?? 'this model'}`,
    where: source,
    next: 'Leave out the classifier (-p or VIRNUCPRO_MODEL_PATH), or give a --reference with predictions, see docs/models.md',
  });
}

async function oneByOne(embedder: Embedder, sequences: string[], signal?: AbortSignal): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (const sequence of sequences) vectors.push(await embedder.embed([sequence], signal && { signal }));
  return vectors;
}

function rows(vectors: Float32Array, count: number): Float32Array[] {
  const width = vectors.length / count;
  return Array.from({ length: count }, (_, row) => vectors.subarray(row * width, (row + 1) * width));
}

/** Cosine and relative error of `found` against `wanted`, summed in double precision. */
export function compare(id: string, found: Float32Array, wanted: Float32Array): Comparison {
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const cosine = dot(found, wanted) / Math.sqrt(dot(found, found) * dot(wanted, wanted));
  return { id, cosine, relativeError: relativeError(found, wanted) };
}

/** Which model was found good, when and by what: `verified/DIGEST.json` in our cache. */
function stampOf(verification: Verification, runtime: string, cacheDir: string): Promise<string> {
  const { model, name, digest, precision, reference, checks, labels } = verification;
  const comparisons = checks.flatMap((check) => check.comparisons);
  return writeStamp(digest, precision, cacheDir, {
    model,
    name,
    digest,
    precision,
    date: new Date().toISOString(),
    virnucpro: version,
    runtime,
    reference,
    sequences: checks[0]!.comparisons.length,
    worstCosine: Math.min(...comparisons.map(({ cosine }) => cosine)),
    worstRelativeError: Math.max(...comparisons.map(({ relativeError }) => relativeError)),
    ...(labels && { classifier: labels.classifier, equalLabels: labels.comparisons.length }),
  });
}
