import type { LaneDown, LaneTaken, LaneUp } from '../contract/leases.js';
import type { LaneView } from '../contract/progress.js';

/** A lease activity under way. */
export interface HeldLease {
  /** Resolves when the host gave the lane back, rejects when the lease broke. */
  end: Promise<void>;
  cancel(): void;
}

/** The keeper's hands and eyes. */
export interface LeaseKeeperDeps {
  hold(lease: string): HeldLease;
  /** Asks a lane to end its lease and stay loaded; rejects when it cannot be reached in time. */
  park(lane: LaneUp): Promise<void>;
  /** Does the lane's queue answer? `cancelled` when the run is. */
  ping(lane: LaneUp): Promise<'answers' | 'silent' | 'cancelled'>;
  /** True when no host can serve such a lease. */
  isFatal(error: unknown): boolean;
  onUp(lane: LaneUp): void;
  onGone(lease: string, charged?: number): void;
  onFatal(error: unknown): void;
}

interface Lease {
  name: string;
  state: 'offered' | 'starting' | 'up' | 'down' | 'ending';
  taken?: LaneTaken;
  up?: LaneUp;
  held: HeldLease;
  settled: Promise<void>;
}

/**
 * Keeps exactly one lease offer open until the stage run has its lanes (one at a time, so that hosts share them fairly
 * and none hoards), and gives leases back.
 */
export class LeaseKeeper {
  private readonly leases = new Map<string, Lease>();
  private failuresInARow = 0;
  private closed = false;
  /** Models loaded to bring lanes up; a warm one counts none. */
  modelLoads = 0;

  constructor(
    private readonly newName: () => string,
    private readonly maxFailuresInARow: number,
    private readonly deps: LeaseKeeperDeps,
  ) {}

  /** Opens the next offer if fewer than `wanted` leases exist and none is open; ends those that are too many. */
  want(wanted: number): void {
    if (this.closed) return;
    const kept = [...this.leases.values()].filter((lease) => lease.state !== 'ending');
    for (const lease of kept.slice(wanted)) if (lease.state === 'offered') this.end(lease, false);
    if (kept.length < wanted && !this.offering) this.open();
  }

  /** True while an offer waits for a host. */
  get offering(): boolean {
    return [...this.leases.values()].some((lease) => lease.state === 'offered');
  }

  taken(signal: LaneTaken): void {
    const lease = this.leases.get(signal.lease);
    if (lease?.state !== 'offered') return;
    lease.state = 'starting';
    lease.taken = signal;
  }

  up(signal: LaneUp): void {
    const lease = this.leases.get(signal.lease);
    if (lease === undefined || lease.state === 'ending') return;
    lease.state = 'up';
    lease.taken = signal;
    lease.up = signal;
    if (signal.loadSeconds > 0) this.modelLoads += 1;
    this.deps.onUp(signal);
  }

  down(signal: LaneDown): void {
    const lease = this.leases.get(signal.lease);
    if (lease === undefined) return;
    if (lease.state !== 'ending') lease.state = 'down';
    this.deps.onGone(signal.lease, signal.charged);
  }

  /** A batch came back: the lanes work. */
  progressed(): void {
    this.failuresInARow = 0;
  }

  /** A batch went silent on a lane that its host has not reported: asks until the lane answers or is reported. */
  async probe(name: string): Promise<void> {
    const lane = this.leases.get(name)?.up;
    const isSame = (): boolean => {
      const lease = this.leases.get(name);
      return lease?.state === 'up' && lease.up === lane;
    };
    while (lane !== undefined && isSame()) {
      const answer = await this.deps.ping(lane);
      if (answer === 'cancelled') return;
      if (answer === 'answers' && isSame()) return this.deps.onUp(lane);
    }
  }

  /** Ends the lease of one lane, named `host/device`. False when no lease holds it. */
  drain(lane: string): boolean {
    const lease = [...this.leases.values()].find(({ taken }) => taken && `${taken.host}/${taken.device}` === lane);
    if (lease === undefined) return false;
    this.end(lease, false);
    return true;
  }

  /** Ends the leases beyond the first `count`. */
  reduceTo(count: number): void {
    const kept = [...this.leases.values()].filter((lease) => lease.state !== 'ending');
    for (const lease of kept.slice(count)) this.end(lease, false);
  }

  /**
   * Ends every lease, open offers too, and resolves when all have ended; a dead agent's ends by its heartbeat timeout.
   * @param park lanes stay loaded for the next lease of their stage.
   */
  async releaseAll(park: boolean): Promise<void> {
    const leases = [...this.leases.values()];
    for (const lease of leases) this.end(lease, park);
    await Promise.all(leases.map((lease) => lease.settled));
  }

  /** No offer is opened from now on. */
  close(): void {
    this.closed = true;
  }

  /** Leases that were taken and have no serving lane yet or any more. */
  views(): LaneView[] {
    return [...this.leases.values()].flatMap(({ name, state, taken, up }) =>
      taken === undefined || state === 'up'
        ? []
        : [
            {
              lease: name,
              host: taken.host,
              device: taken.device,
              pid: up?.pid ?? 0,
              state: state === 'starting' ? ('starting' as const) : ('down' as const),
              running: 0,
              done: 0,
            },
          ],
    );
  }

  private open(): void {
    const name = this.newName();
    const held = this.deps.hold(name);
    const settled = held.end.then(
      () => this.ended(name),
      (error) => this.failed(name, error),
    );
    this.leases.set(name, { name, state: 'offered', held, settled });
  }

  private end(lease: Lease, park: boolean): void {
    if (lease.state === 'ending') return;
    const wasUp = lease.state === 'up';
    lease.state = 'ending';
    this.deps.onGone(lease.name);
    if (park && wasUp) this.deps.park(lease.up!).catch(() => lease.held.cancel());
    else lease.held.cancel();
  }

  private ended(name: string): void {
    this.leases.delete(name);
    this.deps.onGone(name);
  }

  private failed(name: string, error: unknown): void {
    const asked = this.leases.get(name)?.state === 'ending';
    this.leases.delete(name);
    if (!asked) {
      this.failuresInARow += 1;
      if (this.failuresInARow >= this.maxFailuresInARow || this.deps.isFatal(error)) this.deps.onFatal(error);
    }
    this.deps.onGone(name);
  }
}
