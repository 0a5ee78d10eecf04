import { existsSync } from 'node:fs';
import path from 'node:path';
import { probeDevice } from '../../src/inference/probe.js';

/** Debian's chromium package: a Vulkan loader, and SwiftShader, a Vulkan device in software. */
const CHROMIUM = '/usr/lib/chromium';

const loader = path.join(CHROMIUM, 'libvulkan.so.1');
const swiftShader = path.join(CHROMIUM, 'vk_swiftshader_icd.json');

/** The environment in which WebGPU tests run: with the software device where there is one, else the machine's own. */
export const webgpuEnv: NodeJS.ProcessEnv = {
  ...process.env,
  ...(existsSync(loader) && existsSync(swiftShader) && { LD_LIBRARY_PATH: CHROMIUM, VK_ICD_FILENAMES: swiftShader }),
};

/** A GPU of this machine to test with. */
export interface TestDevice {
  name: string;
  env: NodeJS.ProcessEnv;
  /** Why it cannot compute in fp16. */
  noFp16?: string;
}

/** `describe` for tests on a GPU: where it is missing, one skip that says why. */
export async function describeWithDevice(
  kind: 'cuda' | 'webgpu',
  title: string,
  tests: (device: TestDevice) => void,
): Promise<void> {
  const env = kind === 'webgpu' ? webgpuEnv : process.env;
  const probed = await probeDevice({ kind, index: 0 }, env);
  const noFp16 = 'provider' in probed ? probed.noFp16 : undefined;
  const device = { name: `${kind}:0`, env, ...(noFp16 !== undefined && { noFp16 }) };
  if ('provider' in probed) describe(`${title} (${device.name})`, () => tests(device));
  else describe.skip(`${title} (skipped: no ${device.name} here: ${probed.missing})`, () => tests(device));
}
