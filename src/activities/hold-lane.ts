import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { LANE_RESTARTS, LANE_RESTART_BACKOFF_MS } from '../contract/defaults.js';
import { type Device, deviceName } from '../contract/devices.js';
import { Declined, DeviceError, LaneLost, LaneSick, ModelError } from '../contract/failures.js';
import { LEASE_SIGNALS, type LaneOffer, type LaneTaken, type RunningBatch } from '../contract/leases.js';
import { laneQueue } from '../contract/queues.js';
import { type Heartbeat, startHeartbeat } from './heartbeat.js';
import { LeasingRun } from './leasing-run.js';

/** A lane process as a lease drives it; the agent's is workers/lane-handle.ts. */
export interface LeasedLane {
  readonly pid: number;
  /** Resolves when the process has ended, however it ended. */
  readonly exited: Promise<LaneExit>;
  /** Called when the stage run gives the lane back and wants it kept warm. */
  onParked: () => void;
  /** Loads the model; resolves with the seconds that took. */
  start(): Promise<number>;
  /** Serves a lease on its queue, by its terms: a warm lane had another's. */
  open(queue: string, offer: LaneOffer): Promise<void>;
  close(): Promise<void>;
  stop(): Promise<void>;
  kill(): void;
}

/** How a lane's process ended. */
export interface LaneExit {
  /** A sentence's end, e.g. `process ended with SIGKILL`. */
  reason: string;
  /** What was running. */
  running?: RunningBatch;
  /** It has brought at least one batch to an end. */
  worked: boolean;
  /** The running batch may be the cause: the process died by itself, hung or ran out of memory. */
  charge: boolean;
  /** The device failed its self-test. */
  sick: boolean;
}

/** A lane that keeps its model after its lease. */
export interface WarmLane<Lane> {
  lane: Lane;
  seconds: number;
  /** Whether the campaign that it served was ended from outside: then its lanes end, too. */
  isOver(): Promise<boolean>;
}

/** What the lease activity needs from its host. */
export interface HoldLaneDeps {
  host: string;
  /** @throws Declined when this host cannot serve the offer now. */
  take(offer: LaneOffer): Promise<{ device: Device; warm: LeasedLane | undefined }>;
  spawn(device: Device, offer: LaneOffer): LeasedLane;
  /** The lane on this device holds its model. */
  loaded(device: Device): void;
  /** Gives the device back, with the lane to keep warm on it, if any. */
  release(device: Device, warm?: WarmLane<LeasedLane>): void;
  /** Takes a device that stays sick out of service. */
  retire(device: Device, reason: string): void;
}

/**
 * The lease: holds one lane for a stage run until the run parks or cancels it, and tells the run of every change.
 * A process that dies is started again on the same queue, with backoff; one that gets nowhere ends the lease.
 * @throws ModelError as the lane reports it, LaneLost when the process keeps dying, LaneSick when the device does or is
 *   not there, Declined when this host cannot serve the offer now, CancelledFailure when the run, the server or the host ends it.
 */
export async function holdLane(offer: LaneOffer, deps: HoldLaneDeps): Promise<void> {
  const heartbeat = startHeartbeat({ host: deps.host, state: 'taking' });
  try {
    const { device, warm } = await deps.take(offer).catch((error) => declined(offer, deps.host, error));
    await new Lease(offer, deps, device, warm, heartbeat).hold();
  } finally {
    heartbeat.stop();
  }
}

/** By lease and host, what its run was told last: an offer that is declined comes back every second. */
const toldWhy = new Map<string, string>();

/** Beyond that many, leases that ended long ago are forgotten, at the price of telling the others again. */
const LEASES_REMEMBERED = 1000;

async function declined({ lease }: LaneOffer, host: string, error: unknown): Promise<never> {
  const key = `${lease} ${host}`;
  if (error instanceof Declined && toldWhy.get(key) !== error.what) {
    await new LeasingRun().signal(LEASE_SIGNALS.declined, { lease, host, reason: error.what });
    if (toldWhy.size >= LEASES_REMEMBERED) toldWhy.clear();
    toldWhy.set(key, error.what);
  }
  throw error;
}

class Lease {
  private readonly context = Context.current();
  private readonly run = new LeasingRun();
  private readonly where: LaneTaken;
  private readonly queue: string;

  constructor(
    private readonly offer: LaneOffer,
    private readonly deps: HoldLaneDeps,
    private readonly device: Device,
    private lane: LeasedLane | undefined,
    private readonly heartbeat: Heartbeat,
  ) {
    this.where = { lease: offer.lease, host: deps.host, device: deviceName(device) };
    this.queue = laneQueue({ ...this.where, stage: offer.stage });
  }

  async hold(): Promise<void> {
    let keepWarm = false;
    try {
      await this.run.signal(LEASE_SIGNALS.taken, this.where);
      await this.serveUntilParked();
      keepWarm = true;
    } catch (error) {
      // A server that was away longer than the heartbeat knows nothing of this lease, but the run will want it again.
      keepWarm = this.wasForgotten() && (await this.run.isOpen());
      throw error;
    } finally {
      await this.giveBack(keepWarm && this.offer.persistent && this.offer.keepWarmSeconds > 0);
    }
  }

  private async serveUntilParked(): Promise<void> {
    let idleDeaths = 0;
    let sickness = 0;
    for (;;) {
      const end = await this.serve();
      if (end === 'parked') return;
      await this.reportDown(end);
      if (end.sick && ++sickness > 1) this.retire(end.reason);
      // A charged death is the stage run's to judge; any other without a finished batch means that the lane gets nowhere.
      idleDeaths = end.worked || (end.charge && end.running !== undefined) ? 0 : idleDeaths + 1;
      if (idleDeaths > LANE_RESTARTS) {
        throw new LaneLost({
          what: `lane process died ${idleDeaths} times in a row without a finished batch, at last: ${end.reason}`,
          where: `${this.where.host}/${this.where.device}`,
          next: "See the host's log; the run goes on elsewhere",
        });
      }
      const { first, longest } = LANE_RESTART_BACKOFF_MS;
      await this.orCancelled(sleep(Math.min(first * 2 ** (idleDeaths === 0 ? 0 : idleDeaths - 1), longest)));
    }
  }

  private async reportDown({ reason, running, charge }: LaneExit): Promise<void> {
    const pid = this.lane?.pid ?? 0;
    this.lane = undefined;
    await this.run.signal(LEASE_SIGNALS.down, {
      lease: this.offer.lease,
      queue: this.queue,
      pid,
      reason,
      ...(charge && running !== undefined ? { charged: running } : {}),
    });
  }

  private retire(reason: string): never {
    this.deps.retire(this.device, reason);
    throw new LaneSick({
      what: `lane retired: ${reason}`,
      where: `${this.where.host}/${this.where.device}`,
      next: "Check the device; restart the host's agent to use it again",
    });
  }

  /** Brings a lane up (the warm one, else a new process) and waits for what ends it. */
  private async serve(): Promise<'parked' | LaneExit> {
    const warm = this.lane !== undefined;
    const lane = (this.lane ??= this.spawn());
    const parked = new Promise<'parked'>((resolve) => (lane.onParked = () => resolve('parked')));
    const broken = this.bringUp(lane, warm).then(
      () => new Promise<never>(() => {}),
      async (error: unknown) => {
        if (error instanceof ModelError) throw error;
        lane.kill();
        const exit = await lane.exited;
        return exit.sick ? exit : { ...exit, reason: error instanceof Error ? error.message : String(error) };
      },
    );
    return this.orCancelled(Promise.race([lane.exited, parked, broken]));
  }

  private spawn(): LeasedLane {
    try {
      return this.deps.spawn(this.device, this.offer);
    } catch (error) {
      // Not there, and not there for the next offer either.
      if (error instanceof DeviceError) this.retire(error.what);
      throw error;
    }
  }

  private async bringUp(lane: LeasedLane, warm: boolean): Promise<void> {
    const loadSeconds = warm ? 0 : await lane.start();
    // The other mode loads for every batch: what that takes stays reserved as long as the lease.
    if (this.offer.persistent) this.deps.loaded(this.device);
    await lane.open(this.queue, this.offer);
    this.heartbeat.details({ ...this.where, state: 'up', pid: lane.pid });
    await this.run.signal(LEASE_SIGNALS.up, { ...this.where, queue: this.queue, pid: lane.pid, loadSeconds });
  }

  private async giveBack(keepWarm: boolean): Promise<void> {
    const { lane } = this;
    if (keepWarm && lane !== undefined) {
      try {
        await lane.close();
        const { keepWarmSeconds: seconds, campaign } = this.offer;
        return this.deps.release(this.device, { lane, seconds, isOver: () => this.run.wasStopped(campaign) });
      } catch (error) {
        this.context.log.warn('lane could not be kept warm', { ...this.where, error });
      }
    }
    await lane?.stop();
    this.deps.release(this.device);
  }

  private wasForgotten(): boolean {
    return this.context.cancellationDetails?.notFound === true;
  }

  private orCancelled<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.context.cancelled]);
  }
}
