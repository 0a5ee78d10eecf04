import { Context, log } from '@temporalio/activity';
import { ArtifactInvalid, LaneSick, OutOfMemory } from '../contract/failures.js';
import type { RunningBatch } from '../contract/leases.js';
import { type LaneFigures, WAITING_FOR_STORAGE } from '../contract/progress.js';
import type {
  EmbedBatchInput,
  EmbedBatchOutput,
  ManifestEntry,
  QuarantinedRow,
  RefusalReason,
} from '../contract/run.js';
import type { Embedder, PreparedSequences } from '../inference/embedder.js';
import type { ArtifactStore } from '../io/artifact-store.js';
import { type Frames, readFrames } from '../io/frames-file.js';
import { readJsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';
import { peakMemory } from '../io/process-memory.js';
import { findWhole } from '../io/origin.js';
import { BatchParts } from './batch-parts.js';
import { embeddingArtifact } from './embedding-artifact.js';
import { type Heartbeat, startHeartbeat } from './heartbeat.js';
import { StallWatch } from './stall-watch.js';
import { withStoragePatience } from './storage-patience.js';

/** A batch's part in the use of a lane's model. */
export interface LaneWork {
  /** What needs no device, so that it is done while another batch computes. */
  prepare(embedder: Embedder): Promise<void>;
  /** The model calls. */
  compute(embedder: Embedder): Promise<void>;
}

/** The lane that a batch runs on, as its process lends it. */
export interface BatchLane {
  /** Prepares, waits for its turn, computes, alone. Resolves with the number of models that were loaded for it. */
  use(signal: AbortSignal, work: LaneWork): Promise<number>;
  /** What computes now; undefined when it is over. */
  running(batch: RunningBatch | undefined): void;
  /** A model call does not return. */
  stalled(): void;
  /** What a call of {@link embedBatch} gave, for the host's metrics. */
  finished(batch: BatchFigures): void;
}

/** What one call of {@link embedBatch} gave. */
export interface BatchFigures extends Pick<EmbedBatchOutput, 'frames' | 'tokens' | 'seconds' | 'modelLoads' | 'lane'> {
  /** Sequences that were left out for good: told once, with the batch that is published without them. */
  quarantined: Partial<Record<RefusalReason, number>>;
}

/**
 * Embeds one file batch on this lane and publishes the vectors, in the batch's order, under its ids. Goes on from the
 * parts that earlier attempts saved, and saves its own, also when it is cancelled. The device is busy with the next batch
 * while this one is published.
 * @throws ArtifactInvalid, LaneSick, ModelError; a full disk is waited for.
 */
export async function embedBatch(input: EmbedBatchInput, lane: BatchLane): Promise<EmbedBatchOutput> {
  const { cancellationSignal } = Context.current();
  let run: BatchRun | undefined;
  const heartbeat = startHeartbeat({ state: 'waiting' }, () => run?.isMoving() ?? true);
  try {
    const store = openStore(input.store);
    const { entry, frames, isPublished } = await withStoragePatience(
      () => readBatch(input, store),
      cancellationSignal,
      ({ message }) => heartbeat.details({ state: WAITING_FOR_STORAGE, reason: message }),
    );
    // Published by an attempt whose end the server never heard of.
    if (isPublished) return { frames: 0, tokens: 0, seconds: 0, modelLoads: 0, refused: [] };
    run = new BatchRun(input, entry, frames, lane, heartbeat);
    const modelLoads = await lane.use(cancellationSignal, run);
    const output = await run.publish();
    const { frames: embedded, tokens, seconds, refused } = output;
    const { stage, index: batch, rows } = input;
    const { rss: rssBytes } = process.memoryUsage();
    const work = { rows, frames: embedded, tokens, seconds, refused: refused.length };
    log.info('batch embedded', { stage, batch, ...work, rssBytes, ...output.lane });
    const figures = output.lane && { lane: output.lane };
    lane.finished({ frames: embedded, tokens, seconds, modelLoads, ...figures, quarantined: run.quarantined });
    return { ...output, modelLoads };
  } finally {
    heartbeat.stop();
  }
}

async function readBatch(
  input: EmbedBatchInput,
  store: ArtifactStore,
): Promise<{ entry: ManifestEntry; frames: Frames; isPublished: boolean }> {
  const [entry] = await readJsonLines<ManifestEntry>(await store.get(input.manifest), input.index, input.index + 1);
  if (entry === undefined) {
    throw new ArtifactInvalid({
      what: `manifest has no line ${input.index + 1}`,
      where: input.manifest.uri,
      next: 'It will be made again',
    });
  }
  const { key, origin } = embeddingArtifact(input.stage, input.model, entry);
  const isPublished = input.rows === undefined && (await findWhole(store, key, origin)) !== undefined;
  return { entry, frames: await readFrames(await store.get(entry.frames)), isPublished };
}

class BatchRun implements LaneWork {
  /** Sequences that the published batch is without. */
  readonly quarantined: BatchFigures['quarantined'] = {};
  private readonly signal = Context.current().cancellationSignal;
  private readonly artifact: ReturnType<typeof embeddingArtifact>;
  private readonly refused: QuarantinedRow[] = [];
  private parts!: BatchParts;
  /** Rows that are left to do, and their sequences. */
  private rows: number[] = [];
  private sequences!: PreparedSequences;
  private tokens = 0;
  private figures: Omit<LaneFigures, 'peakBytes'> | undefined;
  private seconds = 0;
  /** While it computes. */
  private watch: StallWatch | undefined;
  private storing = false;

  constructor(
    private readonly input: EmbedBatchInput,
    entry: ManifestEntry,
    private readonly frames: Frames,
    private readonly lane: BatchLane,
    private readonly heartbeat: Heartbeat,
  ) {
    this.artifact = embeddingArtifact(input.stage, input.model, entry);
  }

  async prepare(embedder: Embedder): Promise<void> {
    const { input, frames } = this;
    const parts = await this.store(() =>
      BatchParts.open(openStore(input.store), this.artifact, frames.ids, embedder.facts.hidden),
    );
    const out = new Set(input.quarantined.map(({ row }) => row));
    const { from, to } = input.rows ?? { from: 0, to: frames.ids.length };
    this.parts = parts;
    this.rows = frames.ids.flatMap((_, row) =>
      row >= from && row < to && !out.has(row) && !parts.has(row) ? [row] : [],
    );
    const sequences = input.stage === 'dnabert-s' ? frames.nucleotides : frames.proteins;
    this.sequences = await embedder.prepare(
      this.rows.map((row) => sequences[row]!),
      { signal: this.signal },
    );
  }

  async compute(embedder: Embedder): Promise<void> {
    const { index, rows, stalledMs } = this.input;
    const startedAt = performance.now();
    this.watch = new StallWatch(stalledMs);
    this.heartbeat.details({ state: 'running' });
    this.lane.running({ index, ...(rows === undefined ? {} : { rows }) });
    try {
      await this.embed(embedder);
      if (this.refused.length > 0) await assertWell(embedder);
    } finally {
      const { tokensPerCall, reducedFrom } = embedder.facts;
      this.figures = { tokensPerCall, ...(reducedFrom === undefined ? {} : { reducedFrom }) };
      this.seconds = (performance.now() - startedAt) / 1000;
      this.watch = undefined;
      this.lane.running(undefined);
    }
  }

  /** Keeps what was computed: as the finished batch, or as parts of one that is not whole yet. */
  async publish(): Promise<Omit<EmbedBatchOutput, 'modelLoads'>> {
    const { input, frames, parts, refused } = this;
    this.heartbeat.details({ state: 'publishing' });
    if (input.rows !== undefined || refused.length > 0) await this.store(() => parts.save());
    else {
      const quarantined = input.quarantined.map(({ row, reason }) => ({ id: frames.ids[row]!, reason }));
      await this.store(() => parts.publish(quarantined));
      for (const { reason } of quarantined) this.quarantined[reason] = (this.quarantined[reason] ?? 0) + 1;
    }
    return {
      frames: this.rows.length - refused.length,
      tokens: this.tokens,
      seconds: this.seconds,
      refused,
      ...(this.figures && { lane: { ...this.figures, peakBytes: await peakMemory() } }),
    };
  }

  /** False when a model call does not return: then the batch goes silent. */
  isMoving(): boolean {
    if (this.storing || !this.watch?.stalled) return true;
    this.lane.stalled();
    return false;
  }

  private async embed(embedder: Embedder): Promise<void> {
    const { rows, parts } = this;
    let saving = Promise.resolve();
    try {
      await embedder.embed(this.sequences, {
        signal: this.signal,
        onVector: (i, vector) => parts.add(rows[i]!, vector),
        onRefused: (i, error) =>
          this.refused.push({ row: rows[i]!, reason: error instanceof OutOfMemory ? 'too_large' : 'non_finite' }),
        onSegment: () => this.watch?.called(),
        onProgress: (progress) => {
          this.tokens = progress.tokens;
          this.heartbeat.details({ state: 'running', ...progress });
          if (parts.isDue(this.input.partMs)) {
            saving = saving.then(() => this.store(() => parts.save()));
            // Awaited when the calls are over; until then its failure is nobody's unhandled rejection.
            saving.catch(() => {});
          }
        },
      });
    } catch (error) {
      await saving.catch(() => {});
      // The lane goes or fails; what it has computed stays.
      await parts.save().catch(() => {});
      throw error;
    }
    await saving;
  }

  private async store<T>(work: () => Promise<T>): Promise<T> {
    this.storing = true;
    try {
      return await withStoragePatience(work, this.signal, ({ message }) =>
        this.heartbeat.details({ state: WAITING_FOR_STORAGE, reason: message }),
      );
    } finally {
      this.storing = false;
      this.watch?.moved();
    }
  }
}

/** A refusal may be the sequence's doing or the device's; a device that fails its self-test is not to blame a sequence. */
async function assertWell(embedder: Embedder): Promise<void> {
  if (await embedder.selfTest().catch(() => false)) return;
  throw new LaneSick({
    what: 'the device gives other vectors than at its start',
    next: 'The lane is started again, and retired if that does not help',
  });
}
