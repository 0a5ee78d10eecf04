import { LEAST_COSINE, VERIFY_TOLERANCE } from '../../contract/defaults.js';
import { ModelError } from '../../contract/failures.js';
import type { Precision } from '../../contract/models.js';
import { toleranceOf } from '../../inference/prove-device.js';
import { isSameLabel, type LabelCheck } from '../../inference/verify-labels.js';
import { type Check, type Comparison, isGood, type Verification, verifyModel } from '../../inference/verify-model.js';
import { cacheFolderPath } from '../../io/user-folders.js';
import { catalogueName, resolveModel } from '../../model/catalogue.js';
import type { ModelsVerifyOptions } from '../options/models-tables.js';
import { classifierFile } from '../model-type.js';
import { pinProcess } from '../open-embedder.js';
import { assertPrecisionFits } from '../precision.js';
import { interruption } from '../run.js';
import { textTable } from '../text-table.js';

const IMITATED =
  'not written down as verified: a CPU rounds weights to fp16 and computes in fp32; verify it on the GPU, e.g. -d cuda:0';

/**
 * Verifies a model and prints how far its vectors are off, and which labels a classifier gives them.
 * @throws ModelError when it does not open, is not finite, or its vectors or labels differ; InputError; Interrupted.
 */
export async function verify(model: string, options: ModelsVerifyOptions): Promise<void> {
  const { device, modelPath, ...others } = options;
  const { kind, index = 0 } = device;
  if (kind !== 'cpu') {
    assertPrecisionFits(options.precision, { kind });
    pinProcess({ kind, index });
  }
  const { path, expected } = await resolveModel(model, process.env);
  const name = expected && catalogueName(model);
  const verification = await verifyModel({
    model: path,
    ...(name !== undefined && { name }),
    ...(expected && { expected }),
    ...(modelPath !== undefined && { classifier: await classifierFile(modelPath) }),
    ...others,
    device: kind,
    cacheDir: cacheFolderPath(),
    signal: interruption(),
  });
  console.log(report(verification));
  if (!verification.passed) throw refusal(verification);
}

function report(verification: Verification): string {
  const { model, name, digest, precision, checks, stamp } = verification;
  return [
    `${name ?? 'model'}  ${model}`,
    `digest ${digest}`,
    `all weights are finite; computed in ${precision}`,
    ...checks.flatMap((check) => ['', titleOf(check, verification), tableOf(check, precision)]),
    '',
    ...labelLines(verification),
    ...(stamp === undefined ? [] : ['', `verified: ${stamp}`]),
    ...(verification.passed && stamp === undefined ? ['', IMITATED] : []),
  ].join('\n');
}

function titleOf({ against }: Check, { name, reference }: Verification): string {
  if (against === 'fp32') return 'against the same model in fp32';
  return against === 'reference'
    ? `against ${reference}`
    : `no reference vectors exist for ${name ?? 'this model'}: each sequence alone against all in one call`;
}

function tableOf({ against, comparisons }: Check, precision: Precision): string {
  return textTable([
    ['SEQUENCE', 'COSINE', 'RELATIVE ERROR', ''],
    ...comparisons.map((comparison) => [
      comparison.id,
      comparison.cosine.toFixed(8),
      comparison.relativeError.toExponential(1),
      isGood(comparison, against, precision) ? 'ok' : 'DIFFERS',
    ]),
  ]);
}

function labelLines({ labels, labelsOf }: Verification): string[] {
  if (labels) return [`labels by ${labels.classifier} against those that ${labels.of} gave`, labelTable(labels)];
  return labelsOf === undefined
    ? ['labels were not compared: no reference has any for this model']
    : [`labels were not compared: name the classifier ${labelsOf} with -p`];
}

function labelTable({ comparisons }: LabelCheck): string {
  return textTable([
    ['SEQUENCE', 'LABEL', 'STATED', 'P(VIRUS)', 'STATED', 'DIFFERENCE', ''],
    ...comparisons.map((comparison) => {
      const { stated, found } = comparison;
      return [
        stated.id,
        found.label,
        stated.label,
        found.score2.toFixed(6),
        stated.score2.toFixed(6),
        (found.score2 - stated.score2).toExponential(1),
        isSameLabel(comparison) ? 'ok' : 'DIFFERS',
      ];
    }),
  ]);
}

function refusal(verification: Verification): ModelError {
  const { checks, labels, precision } = verification;
  const bad = checks
    .flatMap(({ against, comparisons }) => comparisons.map((one) => ({ ...one, against })))
    .filter((one) => !isGood(one, one.against, precision));
  return bad.length > 0 ? vectorsDiffer(verification, bad) : labelsDiffer(verification, labels!);
}

function vectorsDiffer(
  { model, name, precision }: Verification,
  bad: (Comparison & Pick<Check, 'against'>)[],
): ModelError {
  const worst = bad.reduce((a, b) => (b.relativeError <= a.relativeError ? a : b));
  const bound =
    precision === 'fp32' || worst.against === 'alone'
      ? `relative error ${worst.relativeError.toExponential(1)} for ${worst.id}, ` +
        `allowed is ${worst.against === 'alone' ? toleranceOf(precision) : VERIFY_TOLERANCE}`
      : `cosine ${worst.cosine.toFixed(4)} for ${worst.id}, at least ${LEAST_COSINE[precision]} is asked for`;
  const next = {
    alone: 'One call must not change another: please report it, with this output',
    fp32: `Do not use this model in ${precision}`,
    reference: `These are not the weights of ${name ?? 'the model that the file is of'}: get the model again`,
  };
  return new ModelError({ what: `vectors differ: ${bound}`, where: model, next: next[worst.against] });
}

function labelsDiffer({ model, precision }: Verification, { classifier, of, comparisons }: LabelCheck): ModelError {
  const different = comparisons.filter((comparison) => !isSameLabel(comparison));
  const { stated, found } = different[0]!;
  return new ModelError({
    what:
      `${different.length} of ${comparisons.length} labels differ: ` +
      `${stated.id} is ${found.label}, ${stated.label} is stated`,
    where: model,
    next:
      `Check that ${classifier} is ${of}` +
      (precision === 'fp32' ? '' : `; if it is, do not use this model in ${precision}`),
  });
}
