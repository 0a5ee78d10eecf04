import { Context } from '@temporalio/activity';
import { RUNTIME } from '../inference/ort-backend.js';
import { type Provenance, writeProvenance } from '../io/provenance.js';
import { STAGES, type Stage } from '../contract/stages.js';
import type { StageSummary, SampleCounts } from '../contract/run.js';
import { sdkVersion, version } from '../version.js';
import type { ClassifySampleInput } from './classify-sample.js';

/** Of calls whose size nobody asked for. */
const BY_TIME = 'by time';

/** What classifying adds to what the run knows already. */
export interface Classified {
  counts: SampleCounts;
  files: Provenance['files'];
  seconds: number;
}

/** Writes a sample's provenance.json: what went in, what made it, where it ran, what came out. */
export async function recordProvenance(
  file: string,
  input: ClassifySampleInput,
  classified: Classified,
): Promise<void> {
  const { sample, split, models, options, stages } = input;
  const { workflowExecution, namespace } = Context.current().info;
  await writeProvenance(file, {
    tool: 'virnucpro-temporal',
    version,
    created: new Date().toISOString(),
    input: { path: sample.input, bytes: split.inputBytes, sha256: split.inputSha256, records: split.records },
    options: {
      'expected-length': options.chunkSize,
      'batch-sequences': split.batchSequences,
      'rename-duplicates': options.renameDuplicates ?? false,
      'persistent-models': options.persistent,
      lanes: options.lanes,
      precision: models.dna.precision,
      'dnabert-batch-size': options.tokensPerCall?.['dnabert-s'] ?? BY_TIME,
      'esm-batch-size': options.tokensPerCall?.['esm-2'] ?? BY_TIME,
    },
    models: [
      { role: 'dnabert-s', ...encoder(models.dna) },
      { role: 'esm-2', ...encoder(models.protein) },
      {
        role: 'classifier',
        path: models.classifier.path,
        digest: models.classifier.digest,
        dims: { inputSize: models.classifier.inputSize },
      },
    ],
    digests: { contigs: split.contigs.sha256, batches: split.manifest.sha256 },
    versions: { node: process.versions.node, onnxruntime: RUNTIME.split(' ')[1]!, temporalSdk: sdkVersion },
    lanes: STAGES.flatMap((stage) =>
      stages[stage].lanes.map((lane) => {
        const [host, device] = lane.split('/') as [string, string];
        return { stage, host, device, ...stages[stage].laneFigures[lane] };
      }),
    ),
    stages: { 'dnabert-s': stageOf(stages['dnabert-s']), 'esm-2': stageOf(stages['esm-2']) },
    workflow: {
      id: workflowExecution?.workflowId ?? '',
      runId: workflowExecution?.runId ?? '',
      namespace: namespace ?? '',
    },
    timings: {
      split: split.seconds,
      ...Object.fromEntries(STAGES.map((stage) => [stage, stages[stage].seconds])),
      classify: classified.seconds,
    },
    counts: { ...classified.counts },
    files: classified.files,
  });
}

function stageOf(result: StageSummary): Provenance['stages'][Stage] {
  const { embedded, reused, frames, tokens, modelLoads, quarantined, seconds } = result;
  return { embedded, reused, frames, tokens, modelLoads, quarantined, seconds };
}

function encoder(
  model: ClassifySampleInput['models']['dna'],
): Pick<Provenance['models'][number], 'path' | 'digest' | 'dims'> {
  return { path: model.path, digest: model.digest, dims: { hidden: model.hidden, layers: model.layers } };
}
