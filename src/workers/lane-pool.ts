import type { WarmLane } from '../activities/hold-lane.js';
import { type Device, type DeviceKind, deviceName } from '../contract/devices.js';
import { Declined } from '../contract/failures.js';
import type { LaneOffer } from '../contract/leases.js';
import { laneBytes } from '../inference/lane-memory.js';
import { spreadOver } from '../inference/spread.js';
import { byteText } from '../io/figure-text.js';
import type { Logger } from './log.js';

/** What the pool needs of a lane; the agent's is {@link LaneHandle}. */
export interface PooledLane {
  /** What it was started for. */
  readonly offer: LaneOffer;
  readonly alive: boolean;
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

/** What a host can say of itself before it loads a model. */
export interface HostMeans {
  hasModel(path: string): Promise<boolean>;
  /** Bytes of the host's memory that processes may still take. */
  freeMemory(): Promise<number>;
}

/** Node's timers end at once when asked for more: 24.8 days. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

interface Slot<Lane> {
  device: Device;
  leased: boolean;
  /** Memory of the host that its lane is about to take: counted until its model is loaded. */
  loading: number;
  /** Lanes that are being ended. Until none is left the device is not free. */
  ending: number;
  /** Why the device is out of service. */
  retired?: string;
  /** Released lanes that keep their models, the oldest first. */
  warm: KeptLane<Lane>[];
}

interface KeptLane<Lane> {
  lane: Lane;
  /** What ends it: its time, and a look at its campaign now and then. */
  timers: NodeJS.Timeout[];
}

/** How often warm lanes' campaigns are looked at. */
const LOOK_MS = 5_000;

/** A device that a lease uses, with the lane that is still warm on it, if it fits. */
export interface LeasedDevice<Lane> {
  device: Device;
  warm: Lane | undefined;
}

/**
 * The devices of one host. A lease takes one, best the one whose warm lane already holds its model; a released lane
 * stays warm until its time is up or another lease needs its memory. On a CPU that is the host's, which can be seen, so
 * lanes of several stages stay warm beside each other; other devices hold one.
 */
export class LanePool<Lane extends PooledLane> {
  private readonly slots: Slot<Lane>[];

  constructor(
    devices: Device[],
    private readonly means: HostMeans,
    private readonly host: string,
    private readonly log: Logger,
  ) {
    this.slots = devices.map((device) => ({ device, leased: false, loading: 0, ending: 0, warm: [] }));
  }

  /** Devices of `kind` on this host. */
  count(kind: DeviceKind): number {
    return this.slots.filter((slot) => slot.device.kind === kind).length;
  }

  /**
   * Takes a device for `offer`.
   * @throws Declined when none of its kind that the run may use is free or in service, or when this host lacks the model
   *   or the memory for it.
   */
  async take(offer: LaneOffer): Promise<LeasedDevice<Lane>> {
    const free = this.slots.filter(
      ({ device, leased, ending, retired }) =>
        !leased &&
        ending === 0 &&
        retired === undefined &&
        device.kind === offer.device &&
        !offer.avoid.includes(`${this.host}/${deviceName(device)}`),
    );
    const fits = ({ lane }: KeptLane<Lane>): boolean => serves(lane, offer);
    const slot = free.find((s) => s.warm.some(fits)) ?? free.find((s) => s.warm.length === 0) ?? free[0];
    if (slot === undefined) throw declined(['no free device', ...this.outOfService(offer.device)].join('; '));
    slot.leased = true;
    const warm = slot.warm.find(fits);
    if (warm !== undefined) return { device: slot.device, warm: this.cool(slot, warm) };
    try {
      await this.makeRoom(slot, offer);
      return { device: slot.device, warm: undefined };
    } catch (error) {
      slot.leased = false;
      throw error;
    }
  }

  /** The lane on `device` holds its model: what it takes can be seen from now on. */
  loaded(device: Device): void {
    this.slotOf(device).loading = 0;
  }

  /** Gives the device back; a lane stays loaded there until its time or its campaign is over. */
  release(device: Device, keep?: WarmLane<Lane>): void {
    const slot = this.slotOf(device);
    slot.leased = false;
    slot.loading = 0;
    if (keep === undefined || !keep.lane.alive) return;
    const { lane, seconds, isOver } = keep;
    const end = (): void => void this.end(slot, warm);
    const look = async (): Promise<void> => {
      if ((await isOver()) && slot.warm.includes(warm)) end();
    };
    const timers = [
      setTimeout(end, Math.min(seconds * 1000, LONGEST_TIMEOUT_MS)),
      setInterval(() => void look(), LOOK_MS),
    ];
    const warm = { lane, timers };
    slot.warm.push(warm);
    void lane.exited.then(() => this.cool(slot, warm));
  }

  /** Takes a device out of service until the agent is started again. */
  retire(device: Device, reason: string): void {
    const slot = this.slotOf(device);
    slot.retired = reason;
    for (const warm of slot.warm) void this.end(slot, warm);
    this.log.error({ lane: deviceName(device), reason }, 'lane retired');
  }

  /** Ends every warm lane. Leased ones are ended by their leases. */
  async close(): Promise<void> {
    await Promise.all(this.slots.flatMap((slot) => slot.warm.map((warm) => this.end(slot, warm))));
  }

  private slotOf(device: Device): Slot<Lane> {
    return this.slots.find((slot) => slot.device === device)!;
  }

  private outOfService(kind: DeviceKind): string[] {
    return this.slots.flatMap(({ device, retired }) =>
      device.kind === kind && retired !== undefined ? [`${deviceName(device)} is out of service: ${retired}`] : [],
    );
  }

  /** Ends as many warm lanes as another model's lane on `slot` needs memory for, those on its own device first. */
  private async makeRoom(slot: Slot<Lane>, offer: LaneOffer): Promise<void> {
    if (!(await this.means.hasModel(offer.model.path))) throw declined(`no model at ${offer.model.path}`);
    const evict = async (from: Slot<Lane>, warm: KeptLane<Lane>): Promise<void> => {
      const { stage } = warm.lane.offer;
      this.log.info({ lane: deviceName(from.device), stage, for: offer.stage }, 'warm lane evicted');
      await this.end(from, warm);
    };
    if (slot.device.kind !== 'cpu') for (const warm of slot.warm) await evict(slot, warm);
    const need = memoryOf(offer, slot.device);
    for (;;) {
      const free = await this.means.freeMemory();
      const loading = this.slots.reduce((sum, each) => sum + each.loading, 0);
      if (!(free - loading < need)) break;
      // How much of it is taken already, nobody knows; nothing is ended on a guess.
      if (loading > 0) throw declined('too little memory beside the lanes that load their models');
      const warm = [slot, ...this.slots.filter((other) => other !== slot)].flatMap((from) =>
        from.warm.map((kept) => ({ from, kept })),
      );
      const back = warm.reduce((sum, { from, kept }) => sum + memoryOf(kept.lane.offer, from.device), 0);
      if (warm[0] === undefined || free + back < need) {
        throw declined(`too little memory: a lane of ${offer.stage} needs ${byteText(need)}`);
      }
      await evict(warm[0].from, warm[0].kept);
    }
    slot.loading = need;
  }

  private async end(slot: Slot<Lane>, warm: KeptLane<Lane>): Promise<void> {
    this.cool(slot, warm);
    slot.ending += 1;
    await warm.lane.stop().finally(() => (slot.ending -= 1));
  }

  private cool(slot: Slot<Lane>, warm: KeptLane<Lane>): Lane {
    warm.timers.forEach(clearTimeout);
    slot.warm = slot.warm.filter((other) => other !== warm);
    return warm.lane;
  }
}

function declined(what: string): Declined {
  return new Declined({ what, next: 'The offer goes on to other hosts' });
}

function memoryOf({ model, tokensPerCall }: LaneOffer, { kind, threads }: Device): number {
  const spread = spreadOver(threads, model, kind);
  return laneBytes(model, tokensPerCall ?? spread.tokensPerCall, kind, spread.segments);
}

/** A warm lane serves another lease of the same stage, model and mode. */
function serves(lane: PooledLane, offer: LaneOffer): boolean {
  const { stage, model, persistent, tokensPerCall } = lane.offer;
  return (
    lane.alive &&
    stage === offer.stage &&
    persistent === offer.persistent &&
    tokensPerCall === offer.tokensPerCall &&
    model.digest === offer.model.digest &&
    model.path === offer.model.path &&
    model.precision === offer.model.precision
  );
}
