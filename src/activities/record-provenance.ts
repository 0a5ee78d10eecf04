import { Context } from '@temporalio/activity';
import { RUNTIME } from '../inference/ort-backend.js';
import { type Provenance, writeProvenance } from '../io/provenance.js';
import type { LaneRecord, SampleCounts, StageSummary } from '../contract/run.js';
import { STAGES, type Stage } from '../contract/stages.js';
import { sdkVersion, version } from '../version.js';
import type { ClassifySampleInput } from './classify-sample.js';
import type { StageSummaries } from './record-stages.js';

/** Of calls whose size nobody asked for. */
const BY_TIME = 'by time';

/** What classifying adds to what the run knows already. */
export interface Classified {
  counts: SampleCounts;
  files: Provenance['files'];
  stages: StageSummaries;
  seconds: number;
}

/** Writes a sample's provenance.json: what went in, what made it, where it ran, what came out. */
export async function recordProvenance(
  file: string,
  input: ClassifySampleInput,
  classified: Classified,
): Promise<void> {
  const { sample, split, models, options } = input;
  const { stages } = classified;
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
      'dnabert-precision': models.dna.precision,
      'esm-precision': models.protein.precision,
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
      stages[stage].lanes.map((lane) => ({ stage, ...laneOf(lane, stages[stage].startedAt) })),
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
  const { startedAt, embedded, reused, frames, tokens, modelLoads, quarantined, retries, seconds } = result;
  const counts = { embedded, reused, frames, tokens, modelLoads, quarantined, retries };
  return { started: new Date(startedAt).toISOString(), ...counts, seconds };
}

/** @param stageStart epoch milliseconds: spans are told in seconds from there. */
function laneOf(
  { lane, spans, figures, ...did }: LaneRecord,
  stageStart: number,
): Omit<Provenance['lanes'][number], 'stage'> {
  const [host, device] = lane.split('/') as [string, string];
  const seconds = (at: number): number => Math.round(at - stageStart) / 1000;
  return {
    host,
    device,
    ...did,
    ...figures,
    busySeconds: Math.round(did.busySeconds * 1000) / 1000,
    spans: spans.map((span) => ({
      ...span,
      from: seconds(span.from),
      ready: seconds(span.ready),
      to: seconds(span.to),
    })),
  };
}

function encoder(model: ClassifySampleInput['models']['dna']): Omit<Provenance['models'][number], 'role'> {
  const { path, digest, revision, precision, verified, hidden, layers } = model;
  const dims = { hidden, layers };
  return { path, digest, ...(revision !== undefined && { revision }), precision, verified, dims };
}
