import { VERIFY_TOLERANCE } from '../../contract/defaults.js';
import { ModelError } from '../../contract/failures.js';
import { type Verification, verifyModel } from '../../inference/verify-model.js';
import { cacheFolderPath } from '../../io/user-folders.js';
import { catalogueName, resolveModel } from '../../model/catalogue.js';
import { interruption } from '../run.js';
import { textTable } from '../text-table.js';

/**
 * Verifies a model and prints how far its vectors are off.
 * @throws ModelError when it does not open, is not finite, or its vectors differ; InputError; Interrupted.
 */
export async function verify(model: string, options: { reference?: string; threads: number }): Promise<void> {
  const { path, expected } = await resolveModel(model, process.env);
  const name = expected && catalogueName(model);
  const verification = await verifyModel({
    model: path,
    ...(name !== undefined && { name }),
    ...(expected && { expected }),
    ...options,
    cacheDir: cacheFolderPath(),
    signal: interruption(),
  });
  console.log(report(verification));
  if (!verification.passed) throw refusal(verification);
}

function report({ model, name, digest, reference, comparisons, stamp }: Verification): string {
  return [
    `${name ?? 'model'}  ${model}`,
    `digest ${digest}`,
    'all weights are finite',
    reference === undefined
      ? `no reference vectors exist for ${name ?? 'this model'}: each sequence alone against all in one call`
      : `against ${reference}`,
    '',
    textTable([
      ['SEQUENCE', 'COSINE', 'RELATIVE ERROR', ''],
      ...comparisons.map(({ id, cosine, relativeError }) => [
        id,
        cosine.toFixed(8),
        relativeError.toExponential(1),
        relativeError <= VERIFY_TOLERANCE ? 'ok' : 'DIFFERS',
      ]),
    ]),
    ...(stamp === undefined ? [] : ['', `verified: ${stamp}`]),
  ].join('\n');
}

function refusal({ model, name, reference, comparisons }: Verification): ModelError {
  const worst = comparisons.reduce((a, b) => (b.relativeError <= a.relativeError ? a : b));
  return new ModelError({
    what:
      `vectors differ: relative error ${worst.relativeError.toExponential(1)} for ${worst.id}, ` +
      `allowed is ${VERIFY_TOLERANCE}`,
    where: model,
    next:
      reference === undefined
        ? 'One call must not change another: please report it, with this output'
        : `These are not the weights of ${name ?? 'the model that the file is of'}: get the model again`,
  });
}
