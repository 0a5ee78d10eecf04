import type { ArtifactRef } from './artifacts.js';
import type { DeviceKind } from './devices.js';
import type { ClassifierRef, ModelRef, Precision } from './models.js';
import type { LaneFigures } from './progress.js';
import type { Stage } from './stages.js';

/** One input file and where its results go. */
export interface SampleSpec {
  name: string;
  /** The FASTA file: a path that is the same on every host of the role `cpu`, or `s3://bucket/key`. */
  input: string;
  /** First part of its result files' names, e.g. `contigs` of `contigs.fa.gz`. */
  stem: string;
  /** Key prefix of its artifacts in the run's store: empty for a single sample, else `<name>/`. */
  prefix: string;
}

/** How lanes are asked for and watched. Times in milliseconds unless named otherwise. */
export interface LaneOptions {
  device: DeviceKind;
  /** Most lanes at once, over the whole stage. */
  lanes: number;
  persistent: boolean;
  keepWarmSeconds: number;
  /** 1 (first) to 5: among the runs that wait for lanes of one kind. */
  priority: number;
  /** The run fails when its stage had no lane for this long; undefined: it waits. */
  laneTimeoutSeconds?: number;
  /** A lease or batch that was silent for this long is taken for dead. */
  heartbeatMs: number;
  /** Vectors of an unfinished batch are saved at least this often. */
  partMs: number;
  /** A model call that takes longer than max(this, 20 x the median call) has hung. */
  stalledMs: number;
  /** Queue of the activities that need no device. */
  cpuQueue: string;
}

/** What a campaign does, the same for all its samples. */
export interface RunOptions extends LaneOptions {
  /** Window that contigs are cut into, in bases. */
  chunkSize: number;
  /** Frames in a file batch; undefined: by the size of the sample. */
  batchSequences?: number;
  /** Records whose id came before get another (io/fasta.ts); undefined: they are refused. */
  renameDuplicates?: boolean;
  /** Path of the encoder's folder or file, or its name in the catalogue (model/catalogue.ts). */
  dnaModel: string;
  proteinModel: string;
  /** What each encoder's products are computed in; see {@link precisionOf}. */
  precision?: Record<Stage, Precision>;
  /** Tokens of one model call, padding included; of a stage without: calls of up to about a second. */
  tokensPerCall?: Partial<Record<Stage, number>>;
  classifier: string;
  /** Where its artifacts and results go: a folder that every host sees under this path, or `s3://bucket/prefix`. */
  outputDir: string;
  keepIntermediate: boolean;
  keepEmbeddings: boolean;
  /** Embeddings that one wave may leave on disk, in bytes; undefined: WAVE_BYTES. */
  waveBytes?: number;
}

/** What a run computes a stage's products in: fp32 unless it says otherwise. */
export function precisionOf({ precision }: Pick<RunOptions, 'precision'>, stage: Stage): Precision {
  return precision?.[stage] ?? 'fp32';
}

/** Argument of `predictCampaign`. */
export interface CampaignInput {
  /** JSON lines of {@link SampleSpec}. */
  samples: ArtifactRef;
  options: RunOptions;
  /** First sample of this run; later ones after continue-as-new. */
  cursor?: number;
  /** What earlier runs of the same campaign did. */
  before?: CampaignTotals;
  /** How their samples ended: a file of {@link SampleResult} lines each. */
  waves?: ArtifactRef[];
  /** Paused by a person before continue-as-new. */
  paused?: boolean;
  /** Lanes (`host/device`) that a person drained before continue-as-new. */
  drained?: string[];
  /** What earlier runs of the same campaign warned of. */
  warnings?: StageWarnings;
}

/** What a campaign warns of, the last of each stage. */
export type StageWarnings = Partial<Record<Stage, string>>;

/** What a campaign's memo holds, for lists of runs: counts are of finished waves. A `type`, as memos want an index. */
export type RunMemo = CampaignTotals & {
  /** ISO 8601; a run that continued as new was started by its first. */
  started: string;
  samples: number;
  outputDir: string;
};

/** Samples of a campaign by how they ended. */
export interface CampaignCounts {
  done: number;
  failed: number;
}

/** What became of a campaign's samples and frames. */
export interface CampaignTotals extends CampaignCounts {
  /** Frames without a prediction because no lane could embed them. */
  framesQuarantined: number;
}

/** One sample's end, as the campaign's result and the CLI show it. */
export interface SampleResult {
  sample: string;
  status: 'done' | 'failed';
  failure?: FailureReport;
  counts?: SampleCounts;
}

/** A failure as people see it; also the first detail of every ApplicationFailure we make. */
export interface FailureReport {
  /** Class name in contract/failures.ts, e.g. `InputError`. */
  type: string;
  what: string;
  where?: string;
  next: string;
}

/** Totals of one sample; the laws of accounting.tsv hold between them. */
export interface SampleCounts {
  contigs: number;
  contigsCalled: number;
  /** Contigs whose call is `Viral` in contigs.tsv. */
  contigsViral: number;
  /** Rows of viral_regions.bed. */
  viralRegions: number;
  chunks: number;
  chunksCalled: number;
  /** Chunks that are a virus by their highest score. */
  chunksViral: number;
  frames: number;
  framesCalled: number;
  /** Frames whose label is `virus`. */
  framesViral: number;
  framesQuarantined: number;
}

/** Result of `predictCampaign`. `samples` holds the last wave only; campaign.tsv holds every sample. */
export interface CampaignResult {
  counts: CampaignTotals;
  samples: SampleResult[];
  /** The first samples of the campaign that failed, at most FAILURES_SHOWN. */
  failed: SampleResult[];
}

/** One file batch in a stage manifest (JSON lines). */
export interface ManifestEntry {
  sample: string;
  /** Number of the batch within its sample, from 1. */
  batch: number;
  /** The sample's key prefix. */
  prefix: string;
  frames: ArtifactRef;
}

/** What the split of one sample gives. */
export interface SplitOutput {
  /** JSON lines of {@link ManifestEntry} for this sample. */
  manifest: ArtifactRef;
  /** One row a record (io/contigs-file.ts). */
  contigs: ArtifactRef;
  inputSha256: string;
  inputBytes: number;
  records: number;
  bases: number;
  chunks: number;
  chunksNoOpenFrame: number;
  frames: number;
  batchSequences: number;
  /** Seconds that the split took. */
  seconds: number;
}

/** Argument of `embedStage`: a slice of a stage. */
export interface EmbedStageInput {
  stage: Stage;
  model: ModelRef;
  manifest: ArtifactRef;
  /** Range of manifest lines, `to` excluded. */
  from: number;
  to: number;
  store: string;
  lanes: LaneOptions;
  /** Tokens of one model call, padding included. Default: calls of up to about a second. */
  tokensPerCall?: number;
  /** The campaign that wants to hear of progress, if any. */
  reportTo?: { workflowId: string; runId: string };
  /** Starts paused: the campaign is. */
  paused?: boolean;
  /** Lanes (`host/device`) that it must not use: a person drained them. */
  avoid?: string[];
}

/** A file batch that no lane could embed. */
export interface FailedBatch {
  index: number;
  failure: FailureReport;
}

/** Result of `embedStage`. */
export interface EmbedStageResult {
  /** Batches embedded now, and batches whose finished artifact was found. */
  embedded: number;
  reused: number;
  frames: number;
  tokens: number;
  modelLoads: number;
  /** Sequences left out. */
  quarantined: number;
  /** Tasks that a lane was given again because a call failed or refused a sequence, or its lane was lost or drained. */
  retries: number;
  /** Every lane that served, and what it did. */
  lanes: LaneRecord[];
  /** Batches that failed again and again: manifest lines, from 0, and why. */
  failed: FailedBatch[];
  /** When it started, epoch milliseconds, and how long it took. */
  startedAt: number;
  seconds: number;
}

/** What one lane did for a stage. */
export interface LaneRecord {
  /** `host/device`. */
  lane: string;
  /** Calls that came back, bisections and refusals too, and what they embedded. */
  batches: number;
  frames: number;
  tokens: number;
  /** Seconds of its model calls. */
  busySeconds: number;
  modelLoads: number;
  /** Times that its process, or the host under it, went away by itself. */
  losses: number;
  /** What it said of itself, once it had finished a batch. */
  figures?: LaneFigures;
  /** When it served, oldest first; at most LANE_SPANS. */
  spans: LaneSpan[];
}

/** A lane's process from the start of its model's loading to its end, epoch milliseconds. */
export interface LaneSpan {
  from: number;
  /** It serves from here on. */
  ready: number;
  to: number;
  /** It went away by itself. */
  lost?: true;
}

/** How a stage went, for provenance.json: without its failures. */
export type StageSummary = Omit<EmbedStageResult, 'failed'>;

/** A file batch that is not embedded yet, as `findUnfinished` reports it. */
export interface PendingBatch {
  /** Line of the manifest, from 0. */
  index: number;
  frames: number;
}

/** Argument of the `embedBatch` activity. */
export interface EmbedBatchInput {
  stage: Stage;
  model: ModelRef;
  manifest: ArtifactRef;
  /** Line of the manifest, from 0. */
  index: number;
  store: string;
  /** Only these rows of the batch, kept as parts: a bisection. Else the whole batch, published. */
  rows?: RowRange;
  /** Rows that are left out for good. */
  quarantined: QuarantinedRow[];
  /** Vectors are saved at least this often, so that a killed lane costs no more. */
  partMs: number;
  /** A model call that takes longer than max(this, 20 x the median call) has hung. */
  stalledMs: number;
}

/** Rows of a file batch, `to` excluded. */
export interface RowRange {
  from: number;
  to: number;
}

/** Why one sequence cannot be embedded: NaN or infinity, too large for the memory, or it ends the process. */
export const REFUSAL_REASONS = ['non_finite', 'too_large', 'crashes'] as const;

/** One of {@link REFUSAL_REASONS}. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** A sequence that is left out of its batch. */
export interface QuarantinedRow {
  row: number;
  reason: RefusalReason;
}

/** Result of the `embedBatch` activity. */
export interface EmbedBatchOutput {
  frames: number;
  tokens: number;
  /** Of its model calls. */
  seconds: number;
  /** Models loaded for this batch alone: 1 when lanes are not persistent. */
  modelLoads: number;
  /** Sequences that this lane could not embed; then nothing is published, the others are kept as parts. */
  refused: QuarantinedRow[];
  /** Of the lane by now; none when it had nothing to do. */
  lane?: LaneFigures;
}

/** What `inspectModels` found: every part fits every other. */
export interface RunModels {
  dna: ModelRef;
  protein: ModelRef;
  classifier: ClassifierRef;
}
