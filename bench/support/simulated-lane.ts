import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from '@temporalio/worker';
import { createLaneActivities } from '../../src/activities/index.js';
import type { LaneExit, LeasedLane } from '../../src/activities/hold-lane.js';
import { prefixed } from '../../src/contract/activity-names.js';
import { BATCHES_PER_LANE, HEARTBEAT_THROTTLE_MS } from '../../src/contract/defaults.js';
import type { Device } from '../../src/contract/devices.js';
import type { LaneOffer, RunningBatch } from '../../src/contract/leases.js';
import type { EmbedOptions, Embedder } from '../../src/inference/embedder.js';
import type { WorkerConnection } from '../../src/workers/connection.js';
import { LaneModel } from '../../src/workers/lane-model.js';
import type { PooledLane } from '../../src/workers/lane-pool.js';

const LOAD_MS = 1_000;

/**
 * A lane without a process of its own, so that one host can have many: worker, activities, model mutex, parts and
 * artifacts are the product's, the encoder waits for `batchMs` instead of computing.
 */
export class SimulatedLane implements LeasedLane, PooledLane {
  readonly pid = process.pid;
  readonly exited: Promise<LaneExit>;
  onParked: () => void = () => {};
  alive = true;
  private exit!: (exit: LaneExit) => void;
  private readonly model: LaneModel;
  private running: RunningBatch | undefined;
  private worked = false;
  private serving: { worker: Worker; ended: Promise<void> } | undefined;

  constructor(
    readonly device: Device,
    readonly offer: LaneOffer,
    private readonly connection: WorkerConnection,
    batchMs: number,
  ) {
    this.exited = new Promise((resolve) => (this.exit = resolve));
    this.model = new LaneModel(
      () => waitingEmbedder(offer.model.hidden, batchMs),
      true,
      () => {},
    );
  }

  start(): Promise<number> {
    return this.model.start();
  }

  async open(queue: string): Promise<void> {
    const activities = createLaneActivities({
      lane: {
        use: (signal, work) => this.model.use(signal, work),
        running: (batch) => {
          this.running = batch;
          this.worked ||= batch === undefined;
        },
        stalled: () => this.kill(),
        finished: () => {},
      },
      onPark: () => this.onParked(),
    });
    const worker = await Worker.create({
      ...this.connection,
      taskQueue: queue,
      identity: `${queue}#${this.pid}`,
      activities: prefixed(activities),
      maxConcurrentActivityTaskExecutions: BATCHES_PER_LANE + 1,
      maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
      defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
      shutdownGraceTime: 0,
    });
    this.serving = { worker, ended: worker.run() };
  }

  async close(): Promise<void> {
    const { serving } = this;
    this.serving = undefined;
    if (serving === undefined) return;
    serving.worker.shutdown();
    await serving.ended;
  }

  async stop(): Promise<void> {
    await this.close();
    this.end('was stopped');
  }

  /** Its host hears of the death at once, as of a real process; its worker goes, and with it what it had in hand. */
  kill(): void {
    this.end('process ended with SIGKILL (simulated)');
    void this.close();
  }

  private end(reason: string): void {
    this.alive = false;
    const { running, worked } = this;
    this.exit({ reason, worked, charge: false, sick: false, ...(running === undefined ? {} : { running }) });
  }
}

async function waitingEmbedder(hidden: number, batchMs: number): Promise<Embedder> {
  await sleep(LOAD_MS);
  const embedder = {
    facts: { hidden, loadSeconds: LOAD_MS / 1000, tokensPerCall: 1 },
    prepare: (sequences: readonly string[]) => Promise.resolve(sequences),
    embed: async (sequences: readonly string[], { signal, onVector, onProgress }: EmbedOptions) => {
      await sleep(batchMs, undefined, signal === undefined ? {} : { signal });
      sequences.forEach((_, row) => onVector?.(row, new Float32Array(hidden)));
      const count = sequences.length;
      onProgress?.({ sequencesDone: count, sequences: count, tokensDone: count, tokens: count });
    },
    selfTest: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  };
  return embedder as unknown as Embedder;
}
