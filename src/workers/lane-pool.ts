import { type Device, type DeviceKind, deviceName } from '../contract/devices.js';
import { Declined } from '../contract/failures.js';
import type { LaneOffer } from '../contract/leases.js';
import type { Logger } from './log.js';

/** What the pool needs of a lane; the agent's is {@link LaneHandle}. */
export interface PooledLane {
  /** What it was started for. */
  readonly offer: LaneOffer;
  readonly alive: boolean;
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

/** Node's timers end at once when asked for more: 24.8 days. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

interface Slot<Lane> {
  device: Device;
  leased: boolean;
  /** Why the device is out of service. */
  retired?: string;
  /** A released lane that keeps its model, and the timer that ends it. */
  warm?: { lane: Lane; timer: NodeJS.Timeout };
}

/** A device that a lease uses, with the lane that is still warm on it, if it fits. */
export interface LeasedDevice<Lane> {
  device: Device;
  warm: Lane | undefined;
}

/**
 * The devices of one host. A lease takes one, best the one whose warm lane already holds its model; a released lane
 * stays warm until its time is up or another lease needs the device.
 */
export class LanePool<Lane extends PooledLane> {
  private readonly slots: Slot<Lane>[];

  constructor(
    devices: Device[],
    private readonly host: string,
    private readonly log: Logger,
  ) {
    this.slots = devices.map((device) => ({ device, leased: false }));
  }

  /** Devices of `kind` on this host. */
  count(kind: DeviceKind): number {
    return this.slots.filter((slot) => slot.device.kind === kind).length;
  }

  /**
   * Takes a device for `offer`.
   * @throws Declined when none of its kind that the run may use is free.
   */
  async take(offer: LaneOffer): Promise<LeasedDevice<Lane>> {
    const free = this.slots.filter(
      ({ device, leased, retired }) =>
        !leased &&
        retired === undefined &&
        device.kind === offer.device &&
        !offer.avoid.includes(`${this.host}/${deviceName(device)}`),
    );
    const slot =
      free.find((s) => s.warm && serves(s.warm.lane, offer)) ?? free.find((s) => s.warm === undefined) ?? free[0];
    if (slot === undefined) {
      throw new Declined({ what: `no free ${offer.device} device on this host`, next: 'The offer goes on' });
    }
    slot.leased = true;
    const warm = this.cool(slot);
    if (warm === undefined || serves(warm, offer)) return { device: slot.device, warm };
    this.log.info({ lane: deviceName(slot.device), stage: warm.offer.stage, for: offer.stage }, 'warm lane evicted');
    await warm.stop();
    return { device: slot.device, warm: undefined };
  }

  /** Gives the device back; `lane` stays loaded there for `keepWarmSeconds`. */
  release(device: Device, lane: Lane | undefined, keepWarmSeconds: number): void {
    const slot = this.slots.find((s) => s.device === device)!;
    slot.leased = false;
    if (lane === undefined || !lane.alive) return;
    const timer = setTimeout(
      () => {
        this.cool(slot);
        // Until the process has ended, its device is not free.
        slot.leased = true;
        void lane.stop().finally(() => (slot.leased = false));
      },
      Math.min(keepWarmSeconds * 1000, LONGEST_TIMEOUT_MS),
    );
    slot.warm = { lane, timer };
    void lane.exited.then(() => slot.warm?.lane === lane && this.cool(slot));
  }

  /** Takes a device out of service until the agent is started again. */
  retire(device: Device, reason: string): void {
    this.slots.find((slot) => slot.device === device)!.retired = reason;
    this.log.error({ lane: deviceName(device), reason }, 'lane retired');
  }

  /** Why every device of `kind` is out of service; undefined while one is not. */
  outOfService(kind: DeviceKind): string | undefined {
    const slots = this.slots.filter(({ device }) => device.kind === kind);
    if (slots.some(({ retired }) => retired === undefined)) return undefined;
    return slots.map(({ device, retired }) => `${deviceName(device)}: ${retired}`).join('; ');
  }

  /** Ends every warm lane. Leased ones are ended by their leases. */
  async close(): Promise<void> {
    await Promise.all(this.slots.map((slot) => this.cool(slot)?.stop()));
  }

  private cool(slot: Slot<Lane>): Lane | undefined {
    const { warm } = slot;
    if (warm === undefined) return undefined;
    clearTimeout(warm.timer);
    delete slot.warm;
    return warm.lane;
  }
}

/** A warm lane serves another lease of the same stage, model and mode. */
function serves(lane: PooledLane, offer: LaneOffer): boolean {
  const { stage, model, persistent } = lane.offer;
  return (
    lane.alive &&
    stage === offer.stage &&
    persistent === offer.persistent &&
    model.digest === offer.model.digest &&
    model.path === offer.model.path &&
    model.precision === offer.model.precision
  );
}
