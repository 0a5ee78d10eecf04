import type { LaneDown, LaneTaken, LaneUp } from '../contract/leases.js';
import type { LaneView } from '../contract/progress.js';

/** A lease activity under way. */
export interface HeldLease {
  /** Resolves when the host gave the lane back, rejects when the lease broke. */
  end: Promise<void>;
  cancel(): void;
}

/** What a failed lease means: try another host, or stop the stage. */
export type LeaseVerdict = 'lost' | 'fatal';

/** The keeper's hands and eyes. */
export interface LeaseKeeperDeps {
  hold(lease: string): HeldLease;
  /** Asks a lane to end its lease and stay loaded; rejects when it cannot be reached in time. */
  park(lane: LaneUp): Promise<void>;
  diagnose(error: unknown): LeaseVerdict;
  onUp(lane: LaneUp): void;
  onGone(lease: string): void;
  onFatal(error: unknown): void;
}

interface Lease {
  name: string;
  state: 'offered' | 'starting' | 'up' | 'down';
  taken?: LaneTaken;
  up?: LaneUp;
  held: HeldLease;
  settled: Promise<void>;
}

/**
 * Keeps exactly one lease offer open until the stage run has its lanes (one at a time, so that hosts share them fairly
 * and none hoards), and gives every lease back at the end.
 */
export class LeaseKeeper {
  private readonly leases = new Map<string, Lease>();
  private failuresInARow = 0;
  private closing = false;
  /** Models loaded to bring lanes up; a warm one counts none. */
  modelLoads = 0;

  constructor(
    private readonly newName: () => string,
    private readonly maxFailuresInARow: number,
    private readonly deps: LeaseKeeperDeps,
  ) {}

  /** Opens the next offer if fewer than `wanted` leases exist and none is open. */
  want(wanted: number): void {
    const open = [...this.leases.values()].some((lease) => lease.state === 'offered');
    if (this.closing || open || this.leases.size >= wanted) return;
    const name = this.newName();
    const held = this.deps.hold(name);
    const settled = held.end.then(
      () => this.ended(name),
      (error) => this.failed(name, error),
    );
    this.leases.set(name, { name, state: 'offered', held, settled });
  }

  /** True while an offer waits for a host. */
  get offering(): boolean {
    return [...this.leases.values()].some((lease) => lease.state === 'offered');
  }

  taken(signal: LaneTaken): void {
    const lease = this.leases.get(signal.lease);
    if (lease === undefined || lease.state !== 'offered') return;
    lease.state = 'starting';
    lease.taken = signal;
  }

  up(signal: LaneUp): void {
    const lease = this.leases.get(signal.lease);
    if (lease === undefined || this.closing) return;
    lease.state = 'up';
    lease.taken = signal;
    lease.up = signal;
    if (signal.loadSeconds > 0) this.modelLoads += 1;
    this.deps.onUp(signal);
  }

  down(signal: LaneDown): void {
    const lease = this.leases.get(signal.lease);
    if (lease === undefined) return;
    lease.state = 'down';
    this.deps.onGone(signal.lease);
  }

  /** A batch came back: the lanes work. */
  progressed(): void {
    this.failuresInARow = 0;
  }

  /**
   * Ends every lease, open offers too, and resolves when all have ended; a dead agent's ends by its heartbeat timeout.
   * @param park lanes stay loaded for the next lease of their stage.
   */
  async releaseAll(park: boolean): Promise<void> {
    this.closing = true;
    await Promise.all(
      [...this.leases.values()].map(async (lease) => {
        if (park && lease.state === 'up') await this.deps.park(lease.up!).catch(() => lease.held.cancel());
        else lease.held.cancel();
        await lease.settled;
      }),
    );
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
              state: state === 'down' ? ('down' as const) : ('starting' as const),
              running: 0,
              done: 0,
            },
          ],
    );
  }

  private ended(name: string): void {
    this.leases.delete(name);
    this.deps.onGone(name);
  }

  private failed(name: string, error: unknown): void {
    this.leases.delete(name);
    if (!this.closing) {
      this.failuresInARow += 1;
      const givenUp = this.failuresInARow >= this.maxFailuresInARow;
      if (givenUp || this.deps.diagnose(error) === 'fatal') this.deps.onFatal(error);
    }
    this.deps.onGone(name);
  }
}
