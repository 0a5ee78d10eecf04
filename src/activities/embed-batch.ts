import { Context } from '@temporalio/activity';
import { ArtifactInvalid, LaneSick, OutOfMemory } from '../contract/failures.js';
import type { RunningBatch } from '../contract/leases.js';
import { WAITING_FOR_STORAGE } from '../contract/progress.js';
import type { EmbedBatchInput, EmbedBatchOutput, ManifestEntry, QuarantinedRow } from '../contract/run.js';
import type { Embedder } from '../inference/embedder.js';
import type { ArtifactStore } from '../io/artifact-store.js';
import { type Frames, readFrames } from '../io/frames-file.js';
import { readJsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';
import { findWhole } from '../io/origin.js';
import { BatchParts } from './batch-parts.js';
import { embeddingArtifact } from './embedding-artifact.js';
import { type Heartbeat, startHeartbeat } from './heartbeat.js';
import { StallWatch } from './stall-watch.js';
import { withStoragePatience } from './storage-patience.js';

/** The lane that a batch runs on, as its process lends it. */
export interface BatchLane {
  /** Waits for its turn, then runs `work` with the model, alone. */
  use<T>(signal: AbortSignal, work: (embedder: Embedder, loads: number) => Promise<T>): Promise<T>;
  /** What runs now; undefined when it is over. */
  running(batch: RunningBatch | undefined): void;
  /** A model call does not return. */
  stalled(): void;
}

/**
 * Embeds one file batch on this lane and publishes the vectors, in the batch's order, under its ids. Goes on from the
 * parts that earlier attempts saved, and saves its own, also when it is cancelled.
 * @throws ArtifactInvalid, LaneSick, ModelError; a full disk is waited for.
 */
export async function embedBatch(input: EmbedBatchInput, lane: BatchLane): Promise<EmbedBatchOutput> {
  const { cancellationSignal } = Context.current();
  const heartbeat = startHeartbeat({ state: 'waiting' });
  try {
    const store = openStore(input.store);
    const { entry, frames, isPublished } = await withStoragePatience(
      () => readBatch(input, store),
      cancellationSignal,
      ({ message }) => heartbeat.details({ state: WAITING_FOR_STORAGE, reason: message }),
    );
    // Published by an attempt whose end the server never heard of.
    if (isPublished) return { frames: 0, tokens: 0, seconds: 0, modelLoads: 0, refused: [] };
    return await lane.use(cancellationSignal, async (embedder, modelLoads) => {
      heartbeat.stop();
      lane.running({ index: input.index, ...(input.rows === undefined ? {} : { rows: input.rows }) });
      try {
        return { ...(await new BatchRun(input, entry, frames, embedder, lane).run()), modelLoads };
      } finally {
        lane.running(undefined);
      }
    });
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

class BatchRun {
  private readonly signal = Context.current().cancellationSignal;
  private readonly watch: StallWatch;
  private readonly heartbeat: Heartbeat;
  private readonly refused: QuarantinedRow[] = [];
  private storing = false;

  constructor(
    private readonly input: EmbedBatchInput,
    private readonly entry: ManifestEntry,
    private readonly frames: Frames,
    private readonly embedder: Embedder,
    private readonly lane: BatchLane,
  ) {
    this.watch = new StallWatch(input.stalledMs);
    this.heartbeat = startHeartbeat({ state: 'running' }, () => this.isMoving());
  }

  async run(): Promise<Omit<EmbedBatchOutput, 'modelLoads'>> {
    try {
      return await this.embed();
    } finally {
      this.heartbeat.stop();
    }
  }

  private async embed(): Promise<Omit<EmbedBatchOutput, 'modelLoads'>> {
    const { input, frames, embedder } = this;
    const startedAt = performance.now();
    const artifact = embeddingArtifact(input.stage, input.model, this.entry);
    const parts = await this.store(() =>
      BatchParts.open(openStore(input.store), artifact, frames.ids, embedder.facts.hidden),
    );
    const out = new Set(input.quarantined.map(({ row }) => row));
    const { from, to } = input.rows ?? { from: 0, to: frames.ids.length };
    const rows = frames.ids.flatMap((_, row) =>
      row >= from && row < to && !out.has(row) && !parts.has(row) ? [row] : [],
    );
    const tokens = await this.embedRows(rows, parts);
    if (input.rows !== undefined || this.refused.length > 0) await this.store(() => parts.save());
    else {
      const quarantined = input.quarantined.map(({ row, reason }) => ({ id: frames.ids[row]!, reason }));
      await this.store(() => parts.publish(quarantined));
    }
    return {
      frames: rows.length - this.refused.length,
      tokens,
      seconds: (performance.now() - startedAt) / 1000,
      refused: this.refused,
    };
  }

  private async embedRows(rows: number[], parts: BatchParts): Promise<number> {
    const { stage, partMs } = this.input;
    const sequences = stage === 'dnabert-s' ? this.frames.nucleotides : this.frames.proteins;
    let tokens = 0;
    let saving = Promise.resolve();
    try {
      await this.embedder.embed(
        rows.map((row) => sequences[row]!),
        {
          signal: this.signal,
          onVector: (i, vector) => parts.add(rows[i]!, vector),
          onRefused: (i, error) =>
            this.refused.push({ row: rows[i]!, reason: error instanceof OutOfMemory ? 'too_large' : 'non_finite' }),
          onProgress: (progress) => {
            this.watch.moved();
            tokens = progress.tokens;
            this.heartbeat.details({ state: 'running', ...progress });
            if (parts.isDue(partMs)) {
              saving = saving.then(() => this.store(() => parts.save()));
              // Awaited when the calls are over; until then its failure is nobody's unhandled rejection.
              saving.catch(() => {});
            }
          },
        },
      );
    } catch (error) {
      await saving.catch(() => {});
      // The lane goes or fails; what it has computed stays.
      await parts.save().catch(() => {});
      throw error;
    }
    await saving;
    if (this.refused.length > 0) await this.assertWell();
    return tokens;
  }

  /** A refusal may be the sequence's doing or the device's; a device that fails its self-test is not to blame a sequence. */
  private async assertWell(): Promise<void> {
    if (await this.embedder.selfTest().catch(() => false)) return;
    throw new LaneSick({
      what: 'the device gives other vectors than at its start',
      next: 'The lane is started again, and retired if that does not help',
    });
  }

  private async store<T>(work: () => Promise<T>): Promise<T> {
    this.storing = true;
    try {
      return await withStoragePatience(work, this.signal, ({ message }) =>
        this.heartbeat.details({ state: WAITING_FOR_STORAGE, reason: message }),
      );
    } finally {
      this.storing = false;
      this.watch.moved();
    }
  }

  private isMoving(): boolean {
    if (this.storing || !this.watch.stalled) return true;
    this.lane.stalled();
    return false;
  }
}
