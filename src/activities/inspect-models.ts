import path from 'node:path';
import { ModelError } from '../contract/failures.js';
import type { ClassifierRef, ModelRef } from '../contract/models.js';
import { type RunModels, type RunOptions, precisionOf } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
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
 * Looks at a run's three models before any lane loads one: each is what its role wants, and they fit together. Encoders
 * that are named by a catalogue's name are found as they are on this host.
 * @throws ModelError when one is not here or not what its role wants; as {@link assertFit} does.
 */
export async function inspectModels(options: InspectModelsInput): Promise<RunModels> {
  const heartbeat = startHeartbeat({ state: 'inspecting models' });
  try {
    const dna = (await resolveModel(options.dnaModel, process.env)).path;
    const protein = (await resolveModel(options.proteinModel, process.env)).path;
    const models = {
      dna: await inspectEncoder(dna, 'dnabert-s', options),
      protein: await inspectEncoder(protein, 'esm-2', options),
      classifier: await inspectClassifier(options.classifier),
    };
    assertFit(models);
    return models;
  } finally {
    heartbeat.stop();
  }
}

/** @throws ModelError that names both sides when the classifier was trained with other encoders. */
export function assertFit({ dna, protein, classifier }: RunModels): void {
  if (classifier.inputSize === dna.hidden + protein.hidden) return;
  throw new ModelError({
    what:
      `the classifier takes ${classifier.inputSize} features, but the encoders give ` +
      `${dna.hidden} + ${protein.hidden} = ${dna.hidden + protein.hidden}`,
    where: `${classifier.path}; ${dna.path}; ${protein.path}`,
    next: 'Use the encoders that the classifier was trained with',
  });
}

/** What each stage's encoder must be, and the option that names it. */
const ROLES: Record<Stage, { kind: Model['kind']; flag: string }> = {
  'dnabert-s': { kind: 'dnabert2', flag: '--dna-model' },
  'esm-2': { kind: 'esm2', flag: '--protein-model' },
};

/**
 * Opens the checkpoint of a stage's encoder, and reads all of it unless its digest is remembered.
 * @throws ModelError when it cannot be read, or is no encoder for that stage.
 */
export async function inspectEncoder(
  source: string,
  stage: Stage,
  run: Pick<RunOptions, 'precision'>,
): Promise<ModelRef> {
  const { kind, flag } = ROLES[stage];
  const precision = precisionOf(run, stage);
  const model = await openModel(source, cacheFolderPath(), undefined, precision);
  if (model.kind !== kind) {
    throw new ModelError({
      what: `checkpoint is of kind ${model.kind}, ${flag} takes ${kind}`,
      where: source,
      next: 'Swap --dna-model and --protein-model, or name the right checkpoint',
    });
  }
  const revision = await modelRevision(source);
  const digest = await encoderDigest(model, cacheFolderPath());
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

/** @throws ModelError when it cannot be read, or is no classifier. */
export async function inspectClassifier(source: string): Promise<ClassifierRef> {
  const checkpoint = await openCheckpoint(source);
  const { inputSize } = buildClassifier(checkpoint, path.basename);
  return { path: path.resolve(source), digest: await weightsDigest(checkpoint, cacheFolderPath()), inputSize };
}
