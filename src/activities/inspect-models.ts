import path from 'node:path';
import { ModelError } from '../contract/failures.js';
import type { ClassifierRef, ModelRef, Precision } from '../contract/models.js';
import { type RunModels, type RunOptions, precisionOf } from '../contract/run.js';
import { cacheFolderPath } from '../io/user-folders.js';
import { resolveModel } from '../model/catalogue.js';
import { openCheckpoint } from '../model/checkpoint/open.js';
import { encoderDigest, weightsDigest } from '../model/content-digest.js';
import { buildClassifier } from '../model/graph/classifier.js';
import { type Model, openModel } from '../model/model.js';
import { isVerified } from '../model/stamp.js';
import { modelRevision } from '../model/store/revision.js';
import { startHeartbeat } from './heartbeat.js';

/** Argument of the `inspectModels` activity: folders or files of the three checkpoints; encoders also by name. */
export type InspectModelsInput = Pick<RunOptions, 'dnaModel' | 'proteinModel' | 'precision' | 'classifier'>;

/**
 * {@link fitModels} before any lane loads one. Encoders that are named by a catalogue's name are found as they are on
 * this host.
 * @throws ModelError as that does, or when a model is not here.
 */
export async function inspectModels(options: InspectModelsInput): Promise<RunModels> {
  const heartbeat = startHeartbeat({ state: 'inspecting models' });
  try {
    const dnaModel = (await resolveModel(options.dnaModel, process.env)).path;
    const proteinModel = (await resolveModel(options.proteinModel, process.env)).path;
    return await fitModels({ ...options, dnaModel, proteinModel });
  } finally {
    heartbeat.stop();
  }
}

/**
 * Looks at a run's three models, by their paths: each is what its role wants, and they fit together.
 * @throws ModelError that names both sides of what does not fit.
 */
export async function fitModels(options: InspectModelsInput): Promise<RunModels> {
  const { dnaModel, proteinModel } = options;
  const dna = await inspectEncoder(dnaModel, 'dnabert2', precisionOf(options, 'dnabert-s'), '--dna-model');
  const protein = await inspectEncoder(proteinModel, 'esm2', precisionOf(options, 'esm-2'), '--protein-model');
  const classifier = await inspectClassifier(options.classifier);
  const features = dna.hidden + protein.hidden;
  if (classifier.inputSize !== features) {
    throw new ModelError({
      what:
        `the classifier takes ${classifier.inputSize} features, but the encoders give ` +
        `${dna.hidden} + ${protein.hidden} = ${features}`,
      where: `${options.classifier}; ${dnaModel}; ${proteinModel}`,
      next: 'Use the encoders that the classifier was trained with',
    });
  }
  return { dna, protein, classifier };
}

async function inspectEncoder(
  source: string,
  kind: Model['kind'],
  precision: Precision,
  flag: string,
): Promise<ModelRef> {
  const model = await openModel(source, cacheFolderPath(), undefined, precision);
  if (model.kind !== kind) {
    throw new ModelError({
      what: `checkpoint is of kind ${model.kind}, ${flag} takes ${kind}`,
      where: source,
      next: 'Swap --dna-model and --protein-model, or name the right checkpoint',
    });
  }
  const revision = await modelRevision(source);
  const digest = await encoderDigest(source, cacheFolderPath(), model);
  return {
    path: path.resolve(source),
    digest,
    ...(revision !== undefined && { revision }),
    kind,
    hidden: model.dims.hidden,
    layers: model.dims.layers,
    heads: model.dims.heads,
    intermediate: model.dims.intermediate,
    parameters: model.parameters,
    bytes: model.bytes,
    precision,
    verified: await isVerified(digest, precision, cacheFolderPath()),
  };
}

async function inspectClassifier(source: string): Promise<ClassifierRef> {
  const checkpoint = await openCheckpoint(source);
  const { inputSize } = buildClassifier(checkpoint, path.basename);
  return { path: path.resolve(source), digest: await weightsDigest(source, cacheFolderPath()), inputSize };
}
