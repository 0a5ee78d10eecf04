import { setTimeout as sleep } from 'node:timers/promises';
import type { LaneWork } from '../activities/embed-batch.js';
import { ArtifactInvalid, DeviceError, LaneSick, VirnucproError } from '../contract/failures.js';
import { START_LIMIT_MS } from '../contract/defaults.js';
import type { Embedder } from '../inference/embedder.js';

/** Batches that may fail in a row before the device has to prove itself. */
const FAILURES_BEFORE_TEST = 2;

/** One short sequence; above the first call of a large model on a slow, busy CPU. */
const SELF_TEST_LIMIT_MS = 120_000;

/**
 * The one model of a lane process, used by one batch at a time. In persistent mode it is loaded once at start; else it
 * is loaded and dropped for every use. It watches over its device: failures in a row lead to a self-test.
 */
export class LaneModel {
  private loaded: Embedder | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private failures = 0;
  /** Tokens of a call, once one of what was asked for did not fit the memory. */
  private reduced: number | undefined;

  /** @param open loads the model; with the tokens of a call, if that is known better than when the lane was started. */
  constructor(
    private readonly open: (tokensPerCall?: number) => Promise<Embedder>,
    private readonly persistent: boolean,
    private readonly onSick: (error: LaneSick) => void,
  ) {}

  /** Loads the model if this lane keeps one. Returns the seconds that took. */
  async start(): Promise<number> {
    if (!this.persistent) return 0;
    this.loaded = await this.load();
    return this.loaded.facts.loadSeconds;
  }

  /**
   * Has `work` prepared (at once, where the model is loaded), waits for its turn, and has it computed. Resolves with the
   * number of models that were loaded for it.
   */
  async use(signal: AbortSignal, work: LaneWork): Promise<number> {
    const { loaded } = this;
    const prepared = loaded && work.prepare(loaded);
    // Awaited when its turn comes; until then its failure is nobody's unhandled rejection.
    prepared?.catch(() => {});
    const turn = this.last.then(async () => {
      signal.throwIfAborted();
      if (loaded === undefined) return this.useOnce(work);
      await prepared;
      await this.watched(loaded, work);
      return 0;
    });
    this.last = turn.catch(() => {});
    return turn;
  }

  async close(): Promise<void> {
    await this.last;
    await this.loaded?.close();
    this.loaded = undefined;
  }

  /** @throws LaneSick when the device cannot do it, and then nothing is to blame for it but the device. */
  private async load(): Promise<Embedder> {
    try {
      return await withinLimit(this.open(this.reduced), START_LIMIT_MS);
    } catch (error) {
      if (!isDevicesDoing(error)) throw error;
      const sick = cannotStart(error);
      this.onSick(sick);
      throw sick;
    }
  }

  private async useOnce(work: LaneWork): Promise<number> {
    const embedder = await this.load();
    try {
      await work.prepare(embedder);
      await this.watched(embedder, work);
      return 1;
    } finally {
      if (embedder.facts.reducedFrom !== undefined) this.reduced = embedder.facts.tokensPerCall;
      await embedder.close();
    }
  }

  private async watched(embedder: Embedder, work: LaneWork): Promise<void> {
    try {
      await work.compute(embedder);
      this.failures = 0;
    } catch (error) {
      if (!isDevicesDoing(error)) throw error;
      this.failures += 1;
      const sick = error instanceof LaneSick ? error : await this.examine(embedder, error);
      if (sick !== undefined) this.onSick(sick);
      throw sick ?? error;
    }
  }

  private async examine(embedder: Embedder, error: unknown): Promise<LaneSick | undefined> {
    if (this.failures < FAILURES_BEFORE_TEST) return undefined;
    const well = await withinLimit(embedder.selfTest(), SELF_TEST_LIMIT_MS).catch(() => false);
    if (well) return undefined;
    return new LaneSick({
      what: `the device fails its self-test after ${this.failures} failed batches (${String(error)})`,
      next: 'The lane is started again, and retired if that does not help',
    });
  }
}

/** Rejects when `work` takes longer than `ms`: a device that hangs gives no error by itself. */
async function withinLimit<T>(work: Promise<T>, ms: number): Promise<T> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(`no answer from the device for ${ms / 1000} s`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
    late.catch(() => {});
  }
}

function cannotStart(error: unknown): LaneSick {
  return new LaneSick({
    what: `the device does not compute a first vector (${String(error)})`,
    next: 'The lane is started again, and retired if that does not help',
  });
}

/** Inputs and artifacts fail on every device alike, and a cancelled batch on none. */
function isDevicesDoing(error: unknown): boolean {
  if (error instanceof LaneSick || error instanceof DeviceError) return true;
  if (error instanceof ArtifactInvalid) return false;
  const cancelled = error instanceof Error && error.name === 'CancelledFailure';
  return !cancelled && !(error instanceof VirnucproError);
}
