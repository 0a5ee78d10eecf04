/** The kinds of device that can serve a lane; a lease queue exists for each. */
export const DEVICE_KINDS = ['cpu', 'cuda', 'webgpu'] as const;

/** One of {@link DEVICE_KINDS}. */
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** One device of one host, as a pool hands it out. */
export interface Device {
  kind: DeviceKind;
  /** Position among the host's devices of this kind. */
  index: number;
  /** CPU threads that a lane on this device may use. */
  threads: number;
  /** The host's CPUs that its lane is bound to; without them it runs wherever the system puts it. */
  cpus?: readonly number[];
}

/** `cpu:0`, `cuda:1`: how a device is written in queues, logs and process titles. */
export function deviceName(device: Pick<Device, 'kind' | 'index'>): string {
  return `${device.kind}:${device.index}`;
}
