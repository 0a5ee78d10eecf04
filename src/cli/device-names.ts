import type { DeviceKind } from '../contract/devices.js';

/** A device as a person names it: without `index`, all of its kind. */
export interface NamedDevice {
  kind: DeviceKind;
  index?: number;
}

const DEVICE = /^(?:(?<cpu>cpu)|(?<cuda>cuda)|(?:cuda:)?(?<cudaIndex>\d+)|webgpu(?::(?<webgpuIndex>\d+))?)$/;

/** What {@link deviceNamed} knows, for people. */
export const DEVICE_WORDS = 'cpu, cuda, cuda:N, N, webgpu:N';

/** The device that a word names: `cpu`, `cuda`, `cuda:N`, `N`, `webgpu` or `webgpu:N`; undefined for any other. */
export function deviceNamed(word: string): NamedDevice | undefined {
  const groups = DEVICE.exec(word.trim())?.groups;
  if (groups === undefined) return undefined;
  const { cpu, cuda, cudaIndex, webgpuIndex } = groups;
  if (cpu !== undefined) return { kind: 'cpu' };
  if (cuda !== undefined) return { kind: 'cuda' };
  if (cudaIndex !== undefined) return { kind: 'cuda', index: Number(cudaIndex) };
  return { kind: 'webgpu', index: Number(webgpuIndex ?? 0) };
}
