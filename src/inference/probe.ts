import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Device } from '../contract/devices.js';
import { VirnucproError } from '../contract/failures.js';
import { pinnedEnvironment } from './pinned-environment.js';

/** What trying a device gave: the provider that computes on it, with the reason if not in fp16; or why it cannot be used. */
export type Probed = { provider: string; noFp16?: string } | { missing: string };

const PROCESS = fileURLToPath(new URL('./probe-process.js', import.meta.url));

/** A driver's first start on a cold machine takes tens of seconds; one that hangs, for ever. */
const LIMIT_MS = 120_000;

const NO_VULKAN = 'there is no Vulkan loader (libvulkan.so.1), so no WebGPU device';

/** Tries a device in a process of its own, which may crash or hang without harm. */
export async function probeDevice(
  device: Pick<Device, 'kind' | 'index'>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Probed> {
  if (device.kind === 'webgpu' && device.index > 0) {
    return {
      missing: 'onnxruntime gives a process one WebGPU device, webgpu:0: the one that the graphics driver offers',
    };
  }
  let pinned: NodeJS.ProcessEnv;
  try {
    pinned = pinnedEnvironment(env, device);
  } catch (error) {
    if (error instanceof VirnucproError) return { missing: error.what };
    throw error;
  }
  const child = fork(PROCESS, [device.kind], { env: pinned, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let answer: Probed | undefined;
  let printed = '';
  child.once('message', (probed) => (answer = probed as Probed));
  child.stderr!.on('data', (data: Buffer) => (printed += data.toString()));
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  return new Promise<Probed>((resolve) => {
    child.once('error', (error) => resolve({ missing: error.message }));
    child.once('close', (code, signal) => {
      answer ??= { missing: `the driver ends the process that tries it (${signal ?? `exit code ${code}`})` };
      // Dawn's only word about it; the error that follows says no more than that there is no adapter.
      if ('missing' in answer && printed.includes("Couldn't load Vulkan")) answer = { missing: NO_VULKAN };
      resolve(answer);
    });
  }).finally(() => clearTimeout(limit));
}
