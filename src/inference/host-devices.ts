import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { type Device, type DeviceKind, deviceName } from '../contract/devices.js';
import type { Precision } from '../contract/models.js';
import { type Probed, probeDevice } from './probe.js';

/** A device of this host, or a kind of device that it lacks. */
export interface HostDevice {
  /** `cpu`, `cuda:0`, `webgpu:0`; of a kind that is missing, the kind. */
  name: string;
  /** What its maker calls it, where the driver says so. */
  model?: string;
  memoryBytes?: number;
  /** What computes on it: provider and version. */
  provider?: string;
  precisions: readonly Precision[];
  /** Why fp16 is not among them on a GPU. */
  noFp16?: string;
  /** Why lanes cannot use it. */
  missing?: string;
}

/** A CUDA device that this process may see, in the order in which `cuda:N` counts. */
export interface CudaDevice {
  index: number;
  model?: string;
  memoryBytes?: number;
}

const MIB = 2 ** 20;

/** Everything that lanes can run on here, each device tried, and what is missing with the reason. */
export async function listHostDevices(env: NodeJS.ProcessEnv = process.env): Promise<HostDevice[]> {
  const [cpu, cuda, webgpu] = await Promise.all([
    tried({ kind: 'cpu', index: 0 }, env),
    listCuda(env),
    tried({ kind: 'webgpu', index: 0 }, env),
  ]);
  const model = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} threads`;
  return [{ ...cpu, name: 'cpu', model, memoryBytes: totalmem() }, ...cuda, webgpu];
}

async function listCuda(env: NodeJS.ProcessEnv): Promise<HostDevice[]> {
  const found = await findCudaDevices(env);
  if ('missing' in found) return [{ name: 'cuda', precisions: [], missing: found.missing }];
  return Promise.all(
    found.devices.map(async ({ index, ...facts }) => ({ ...facts, ...(await tried({ kind: 'cuda', index }, env)) })),
  );
}

async function tried(device: Pick<Device, 'kind' | 'index'>, env: NodeJS.ProcessEnv): Promise<HostDevice> {
  const probed = await probeDevice(device, env);
  return { name: deviceName(device), precisions: precisionsOf(device.kind, probed), ...probed };
}

/** fp16 is quick on GPUs only, int8 on CPUs only. */
function precisionsOf(kind: DeviceKind, probed: Probed): Precision[] {
  if ('missing' in probed) return [];
  if (kind === 'cpu') return ['fp32', 'int8'];
  return probed.noFp16 === undefined ? ['fp32', 'fp16'] : ['fp32'];
}

/**
 * The CUDA devices that CUDA_VISIBLE_DEVICES leaves of those that nvidia-smi lists; without nvidia-smi, those that the
 * driver shows. None is tried here.
 */
export async function findCudaDevices(
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ devices: CudaDevice[] } | { missing: string }> {
  const listed = await nvidiaSmi(env);
  const visible = env['CUDA_VISIBLE_DEVICES']?.split(',').map((entry) => entry.trim());
  if (visible?.[0] === '') return { missing: 'CUDA_VISIBLE_DEVICES is empty' };
  if (visible !== undefined) {
    const devices = visible.map((entry, index) => ({
      ...listed?.find(({ uuid, device }) => isSame(entry, device.index, uuid))?.device,
      index,
    }));
    return { devices };
  }
  if (listed !== undefined && listed.length > 0) return { devices: listed.map(({ device }) => device) };
  // A container may have the driver and not nvidia-smi.
  const seen = await readdir('/proc/driver/nvidia/gpus').catch(() => []);
  if (listed === undefined && seen.length > 0) return { devices: seen.map((_, index) => ({ index })) };
  return { missing: listed === undefined ? 'no NVIDIA driver' : 'the NVIDIA driver lists no device' };
}

/** CUDA takes a number or the beginning of a UUID. */
function isSame(entry: string, index: number, uuid: string): boolean {
  return entry === String(index) || (entry !== '' && uuid.startsWith(entry));
}

/** What nvidia-smi lists; undefined where there is none, or no driver behind it. */
async function nvidiaSmi(env: NodeJS.ProcessEnv): Promise<{ uuid: string; device: CudaDevice }[] | undefined> {
  const query = ['--query-gpu=index,uuid,memory.total,name', '--format=csv,noheader,nounits'];
  const output = await promisify(execFile)('nvidia-smi', query, { env, timeout: 30_000 }).catch(() => undefined);
  return output?.stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [index, uuid, mib, ...name] = line.split(',').map((part) => part.trim());
      const memoryBytes = Number(mib) * MIB;
      // Of unified memory it says that it does not know.
      const memory = Number.isFinite(memoryBytes) ? { memoryBytes } : {};
      return { uuid: uuid!, device: { index: Number(index), model: name.join(', '), ...memory } };
    });
}
