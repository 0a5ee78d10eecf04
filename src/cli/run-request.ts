import { type RunModels, type RunOptions, type SampleSpec, precisionOf } from '../contract/run.js';
import { toInputError } from '../io/input.js';
import { sha256OfFile } from '../io/local-store.js';
import { isUri } from '../io/store-uri.js';
import { NOT_HERE, type RunRecord, type RunRequest } from './run-record.js';

/**
 * Options that change what comes out; models by the digest of what they hold, or by name when they are not here.
 * @param models those of the run that are on this machine.
 */
export function requestOf(
  run: RunOptions,
  models: Partial<RunModels>,
): RunRequest & { dnaModel: string; proteinModel: string } {
  const dnabertPrecision = precisionOf(run, 'dnabert-s');
  const esmPrecision = precisionOf(run, 'esm-2');
  return {
    expectedLength: run.chunkSize,
    batchSequences: run.batchSequences ?? 'by size',
    // Only if not the default: runs that were started before there were these options are the same without them.
    ...(run.renameDuplicates && { renameDuplicates: true }),
    ...(dnabertPrecision !== 'fp32' && { dnabertPrecision }),
    ...(esmPrecision !== 'fp32' && { esmPrecision }),
    dnaModel: models.dna?.digest ?? `${NOT_HERE}${run.dnaModel}`,
    proteinModel: models.protein?.digest ?? `${NOT_HERE}${run.proteinModel}`,
    classifier: models.classifier?.digest ?? `${NOT_HERE}${run.classifier}`,
    keepIntermediate: run.keepIntermediate,
    keepEmbeddings: run.keepEmbeddings,
    ...(isUri(run.outputDir) && { store: run.outputDir }),
  };
}

/** The samples with the digests of their files. */
export async function digestsOf(specs: readonly SampleSpec[]): Promise<RunRecord['samples']> {
  const digests: RunRecord['samples'] = [];
  for (const { name, input } of specs) {
    const sha256 = await sha256OfFile(input).catch((error: unknown) => {
      throw toInputError(error, input);
    });
    digests.push({ name, input, sha256 });
  }
  return digests;
}
