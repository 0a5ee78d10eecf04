import { type Device, deviceName } from '../contract/devices.js';
import { DeviceError } from '../contract/failures.js';

/**
 * The environment of a process that computes on `device`: of the CUDA devices that this process sees, it sees exactly
 * that one, or none. Numbers are nvidia-smi's, and fp32 is fp32 (NVIDIA's libraries would round products to 10 bits),
 * unless the environment says otherwise.
 * @throws DeviceError when CUDA_VISIBLE_DEVICES has no such device.
 */
export function pinnedEnvironment(env: NodeJS.ProcessEnv, device: Pick<Device, 'kind' | 'index'>): NodeJS.ProcessEnv {
  if (device.kind !== 'cuda') return { ...env, CUDA_VISIBLE_DEVICES: '' };
  const inherited = env['CUDA_VISIBLE_DEVICES'];
  const pinned = inherited === undefined ? String(device.index) : inherited.split(',')[device.index]?.trim();
  if (pinned)
    return { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', NVIDIA_TF32_OVERRIDE: '0', ...env, CUDA_VISIBLE_DEVICES: pinned };
  throw new DeviceError({
    what: `there is no ${deviceName(device)} among CUDA_VISIBLE_DEVICES=${inherited}`,
    next: 'Start virnucpro with the devices that it shall use, and count them from 0',
  });
}
