import type { Embedder } from '../inference/embedder.js';

/**
 * The one model of a lane process, used by one batch at a time. In persistent mode it is loaded once at start; else it
 * is loaded and dropped for every use.
 */
export class LaneModel {
  private loaded: Embedder | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly open: () => Promise<Embedder>,
    private readonly persistent: boolean,
  ) {}

  /** Loads the model if this lane keeps one. Returns the seconds that took. */
  async start(): Promise<number> {
    if (!this.persistent) return 0;
    this.loaded = await this.open();
    return this.loaded.facts.loadSeconds;
  }

  /** Waits for its turn, then runs `work` with the model. `loads` tells how many models were loaded for it. */
  async use<T>(work: (embedder: Embedder, loads: number) => Promise<T>): Promise<T> {
    const turn = this.last.then(() => (this.loaded ? work(this.loaded, 0) : this.useOnce(work)));
    this.last = turn.catch(() => {});
    return turn;
  }

  async close(): Promise<void> {
    await this.last;
    await this.loaded?.close();
    this.loaded = undefined;
  }

  private async useOnce<T>(work: (embedder: Embedder, loads: number) => Promise<T>): Promise<T> {
    const embedder = await this.open();
    try {
      return await work(embedder, 1);
    } finally {
      await embedder.close();
    }
  }
}
