import { DeviceError, OptionError } from '../contract/failures.js';
import type { DeviceKind } from '../contract/devices.js';

const DEVICE = /^(auto|cpu|cuda|cuda:\d+|\d+|webgpu|webgpu:\d+)$/;

/**
 * The kind of device that lanes run on, from `-d` and `--gpus`.
 * @throws OptionError for a word that names none; DeviceError for one that is not there: nothing falls back to the CPU.
 */
export function chooseDevice(device: string, gpus: string | undefined): DeviceKind {
  if (!DEVICE.test(device)) {
    throw new OptionError({
      what: `--device is "${device}", allowed are auto, cpu, cuda, cuda:N, N, webgpu:N`,
      next: 'See virnucpro predict --help',
    });
  }
  const asked = gpus === undefined ? device : `cuda:${gpus}`;
  if (asked === 'auto' || asked === 'cpu') return 'cpu';
  throw new DeviceError({
    what: `no lane of this version runs on ${/^\d+$/.test(asked) ? `cuda:${asked}` : asked}; its lanes run on the CPU`,
    next: 'Give -d cpu',
  });
}
