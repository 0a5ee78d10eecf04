import type { LaneDeclined, LaneDown, LaneTaken, LaneUp, RunningBatch } from '../contract/leases.js';
import type { LaneView } from '../contract/progress.js';

/** Unanswered questions, a heartbeat each, after which a silent lane's lease is given up for another. */
const SILENT_PINGS = 3;

/** Hosts whose reasons people are shown: each makes a line longer, and a change of it is reported. */
const HOSTS_NAMED = 3;

/** A lease activity under way. */
export interface HeldLease {
  /** Resolves when the host gave the lane back, rejects when the lease broke. */
  end: Promise<void>;
  cancel(): void;
}

/** The keeper's hands and eyes. */
export interface LeaseKeeperDeps {
  /** Opens an offer, for any lane (`host/device`) but those in `avoid`. */
  hold(lease: string, avoid: string[]): HeldLease;
  /** Asks a lane to end its lease and stay loaded; rejects when it cannot be reached in time. */
  park(lane: LaneUp): Promise<void>;
  /** Does the lane's queue answer? `cancelled` when the run is. */
  ping(lane: LaneUp): Promise<'answers' | 'silent' | 'cancelled'>;
  /**
   * `fatal`: no host can serve such a lease. `gone`: host or server went away. `retired`: the device is out of service.
   * `broken`: this lane could not.
   */
  diagnose(error: unknown): 'fatal' | 'gone' | 'retired' | 'broken';
  /** The failure in words for people. */
  explain(error: unknown): string;
  onUp(lane: LaneUp): void;
  /** These lanes get no more work; what they have goes elsewhere. */
  onEnding(leases: string[]): void;
  onGone(lease: string, charged?: RunningBatch): void;
  onFatal(error: unknown): void;
}

interface Lease {
  name: string;
  state: 'offered' | 'starting' | 'up' | 'down' | 'ending';
  taken?: LaneTaken;
  up?: LaneUp;
  /** Its last process that is known to have ended. */
  gonePid?: number;
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
  /** Why the last lane broke, and on which host; none has come up since. */
  private trouble: { host: string | undefined; reason: string } | undefined;
  /** Hosts that declined the open offer, with their reasons. Each says so once, maybe before its own lane's end is known. */
  private readonly refusals = new Map<string, string>();
  private readonly avoided: Set<string>;
  /** Models loaded to bring lanes up; a warm one counts none. */
  modelLoads = 0;

  constructor(
    private readonly newName: () => string,
    private readonly maxFailuresInARow: number,
    private readonly deps: LeaseKeeperDeps,
    avoided: readonly string[] = [],
  ) {
    this.avoided = new Set(avoided);
  }

  /** Opens the next offer if fewer than `wanted` leases exist and none is open; an open one too many is withdrawn. */
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

  /** True while a host brings a lane up, for the first time or again. */
  get preparing(): boolean {
    return [...this.leases.values()].some(({ state }) => state === 'starting' || state === 'down');
  }

  /** What stands in the way of a lane, for people. */
  get obstacles(): string[] {
    const { trouble } = this;
    return [
      ...[...this.avoided].map((lane) => `not ${lane}, which was drained`),
      ...(trouble === undefined || this.refusals.has(trouble.host ?? '') ? [] : [trouble.reason]),
      ...[...this.refusals].slice(0, HOSTS_NAMED).map(([host, reason]) => `${host}: ${reason}`),
      ...(this.refusals.size > HOSTS_NAMED ? [`${this.refusals.size - HOSTS_NAMED} more hosts decline`] : []),
    ];
  }

  declined({ lease, host, reason }: LaneDeclined): void {
    if (this.leases.get(lease)?.state === 'offered') this.refusals.set(host, reason);
  }

  taken(signal: LaneTaken): void {
    const lease = this.leases.get(signal.lease);
    if (lease?.state !== 'offered') return;
    lease.state = 'starting';
    lease.taken = signal;
    this.refusals.clear();
  }

  up(signal: LaneUp): void {
    const lease = this.leases.get(signal.lease);
    // A word that was kept up by an outage may come after the process's end.
    if (lease === undefined || lease.state === 'ending' || lease.gonePid === signal.pid) return;
    // An agent that does not know whether its signal got through sends it again.
    if (lease.state === 'up' && lease.up?.pid === signal.pid) return;
    lease.state = 'up';
    this.trouble = undefined;
    lease.taken = signal;
    lease.up = signal;
    if (signal.loadSeconds > 0) this.modelLoads += 1;
    this.deps.onUp(signal);
  }

  down(signal: LaneDown): void {
    const lease = this.leases.get(signal.lease);
    if (lease === undefined) return;
    if (lease.state !== 'ending') lease.state = 'down';
    lease.gonePid = signal.pid;
    this.deps.onGone(signal.lease, signal.charged);
  }

  private get hasLane(): boolean {
    return [...this.leases.values()].some((lease) => lease.state === 'up');
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
    for (let silent = 0; lane !== undefined && isSame(); silent++) {
      if (silent === SILENT_PINGS) return this.end(this.leases.get(name)!, false);
      const answer = await this.deps.ping(lane);
      if (answer === 'cancelled') return;
      if (answer === 'answers' && isSame()) return this.deps.onUp(lane);
    }
  }

  /** Gives one lane up, named `host/device`: its lease ends, and no offer is for it before {@link readmit}. */
  drain(lane: string): void {
    this.avoided.add(lane);
    // The open offer, too: the next has today's terms.
    this.endWhere(({ state, taken }) => state === 'offered' || `${taken?.host}/${taken?.device}` === lane);
  }

  /** Drained lanes may be used again. */
  readmit(): void {
    if (this.avoided.size === 0) return;
    this.avoided.clear();
    this.endWhere(({ state }) => state === 'offered');
  }

  /** Ends the leases beyond the first `count`. */
  reduceTo(count: number): void {
    const kept = [...this.leases.values()].filter((lease) => lease.state !== 'ending');
    this.endAll(kept.slice(count), false);
  }

  /**
   * Ends every lease, open offers too, and resolves when all have ended; a dead agent's ends by its heartbeat timeout.
   * @param park lanes stay loaded for the next lease of their stage.
   */
  async releaseAll(park: boolean): Promise<void> {
    const leases = [...this.leases.values()];
    this.endAll(leases, park);
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
    this.refusals.clear();
    const held = this.deps.hold(name, [...this.avoided]);
    const settled = held.end.then(
      () => this.ended(name),
      (error) => this.failed(name, error),
    );
    this.leases.set(name, { name, state: 'offered', held, settled });
  }

  private endWhere(matches: (lease: Lease) => boolean): void {
    this.endAll([...this.leases.values()].filter(matches), false);
  }

  private end(lease: Lease, park: boolean): void {
    this.endAll([lease], park);
  }

  /** Marks all before the first is let go, so that no work is dealt to a lane that is about to end. */
  private endAll(leases: Lease[], park: boolean): void {
    const ending = leases.filter((lease) => lease.state !== 'ending');
    const up = new Set(ending.filter((lease) => lease.state === 'up'));
    for (const lease of ending) lease.state = 'ending';
    this.deps.onEnding(ending.map((lease) => lease.name));
    for (const lease of ending) this.letGo(lease, park && up.has(lease));
  }

  private letGo(lease: Lease, park: boolean): void {
    if (park) this.deps.park(lease.up!).catch(() => lease.held.cancel());
    else lease.held.cancel();
  }

  private ended(name: string): void {
    this.leases.delete(name);
    this.deps.onGone(name);
  }

  private failed(name: string, error: unknown): void {
    const lease = this.leases.get(name);
    const asked = lease?.state === 'ending';
    this.leases.delete(name);
    if (!asked) {
      const verdict = this.deps.diagnose(error);
      if (verdict !== 'fatal' && verdict !== 'gone') {
        this.trouble = { host: lease?.taken?.host, reason: this.deps.explain(error) };
      }
      // Hosts may come and go as often as they like, and a lane that works shows that the run can go on.
      if (verdict === 'broken' && !this.hasLane) this.failuresInARow += 1;
      if (verdict === 'fatal' || this.failuresInARow >= this.maxFailuresInARow) this.deps.onFatal(error);
    }
    this.deps.onGone(name);
  }
}
