import { type Device, type DeviceKind, deviceName } from '../contract/devices.js';
import { DeviceError, OptionError } from '../contract/failures.js';
import { findCudaDevices } from '../inference/host-devices.js';
import { probeDevice } from '../inference/probe.js';
import { DEVICE_WORDS, type NamedDevice, deviceNamed } from './device-names.js';

/** A device that is not the CPU. */
export type Gpu = Pick<Device, 'kind' | 'index'>;

/** What a run's lanes run on. */
export interface ChosenDevices {
  kind: DeviceKind;
  /** None on the CPU. */
  gpus: Gpu[];
  /** For people; with the reason, if the choice was not theirs. */
  said: string;
  /** Which of the GPUs cannot compute in fp16, and why. */
  noFp16?: string;
}

/** A host to be asked for its devices; tests have their own. */
export interface DeviceHost {
  findCuda: typeof findCudaDevices;
  probe: typeof probeDevice;
}

const THIS_HOST: DeviceHost = { findCuda: findCudaDevices, probe: probeDevice };

const NEXT = 'virnucpro devices lists what there is';

/**
 * What `-d` and `--gpus` of a run ask for: `auto`, or devices of one kind.
 * @throws OptionError for what names no device, and when the two contradict each other.
 */
export function parseRunDevices(device: string, gpus: string | undefined): 'auto' | NamedDevice[] {
  if (gpus === undefined) {
    const named = device === 'auto' ? device : deviceNamed(device);
    if (named !== undefined) return named === 'auto' ? named : [named];
    throw new OptionError({ what: `--device is "${device}", allowed are auto, ${DEVICE_WORDS}`, next: NEXT });
  }
  if (!/^\s*\d+\s*(,\s*\d+\s*)*$/.test(gpus)) {
    throw new OptionError({ what: `--gpus is "${gpus}", allowed are numbers of CUDA devices: 0,1`, next: NEXT });
  }
  if (device !== 'auto' && device !== 'cuda') {
    throw new OptionError({
      what: `--gpus ${gpus} names CUDA devices, --device is ${device}`,
      next: 'Give one of the two',
    });
  }
  return gpus.split(',').map((index) => ({ kind: 'cuda', index: Number(index) }));
}

/**
 * Settles what a run's lanes run on. `auto` is every CUDA device that works, else the CPU; WebGPU is taken by name only.
 * @throws DeviceError for a device that was named and cannot be used: nothing falls back to the CPU.
 */
export async function chooseDevices(asked: 'auto' | NamedDevice[], host = THIS_HOST): Promise<ChosenDevices> {
  if (asked === 'auto') return chooseByItself(host);
  if (asked[0]!.kind === 'cpu') return { kind: 'cpu', gpus: [], said: 'cpu' };
  const probed = await probedGpus(asked, host);
  const gpus = probed.map(({ gpu }) => gpu);
  return { kind: asked[0]!.kind, gpus, said: namesOf(gpus), ...lackOfFp16(probed) };
}

/**
 * The lanes that a run on a service asks for, by their kind: the devices of this machine have no say in it.
 * @throws OptionError for `auto`, and for a device of one machine.
 */
export function lanesElsewhere(asked: 'auto' | NamedDevice[]): ChosenDevices {
  if (
    asked !== 'auto' &&
    asked.every(({ kind, index }) => (index ?? 0) === 0 && (kind !== 'cuda' || index === undefined))
  ) {
    const { kind } = asked[0]!;
    return { kind, gpus: [], said: kind };
  }
  throw new OptionError({
    what: `--device is ${asked === 'auto' ? 'auto' : asked.map(({ kind, index }) => `${kind}:${index}`).join(', ')}, and on a Temporal service lanes are on other machines`,
    next: 'Say which kind of lanes with -d cpu, -d cuda or -d webgpu, or serve with this machine, too: --with-agent',
  });
}

/**
 * The GPUs among the `named` devices, each once, after each was tried.
 * @throws DeviceError for one that cannot be used.
 */
export async function usableGpus(named: readonly NamedDevice[], host = THIS_HOST): Promise<Gpu[]> {
  return (await probedGpus(named, host)).map(({ gpu }) => gpu);
}

async function probedGpus(named: readonly NamedDevice[], host: DeviceHost): Promise<ProbedGpu[]> {
  const gpus = new Map<string, Gpu>();
  for (const { kind, index } of named) {
    if (kind === 'cpu') continue;
    for (const gpu of kind === 'cuda' ? await cudaDevices(index, host) : [{ kind, index: index! }]) {
      gpus.set(deviceName(gpu), gpu);
    }
  }
  const all = await probeAll([...gpus.values()], host);
  for (const { gpu, probed } of all) {
    if ('missing' in probed) throw absent(`${deviceName(gpu)} cannot be used: ${probed.missing}`);
  }
  return all;
}

function lackOfFp16(all: readonly ProbedGpu[]): Pick<ChosenDevices, 'noFp16'> {
  const reasons = all.flatMap(({ gpu, probed }) =>
    'provider' in probed && probed.noFp16 !== undefined ? [`${deviceName(gpu)}: ${probed.noFp16}`] : [],
  );
  return reasons.length === 0 ? {} : { noFp16: reasons.join('; ') };
}

async function cudaDevices(index: number | undefined, host: DeviceHost): Promise<Gpu[]> {
  const found = await host.findCuda();
  if ('missing' in found) throw absent(`there is no CUDA device: ${found.missing}`);
  const all = found.devices.map((device): Gpu => ({ kind: 'cuda', index: device.index }));
  if (index === undefined) return all;
  const gpu = all.find((device) => device.index === index);
  if (gpu === undefined) throw absent(`there is no cuda:${index}; this host has ${namesOf(all)}`);
  return [gpu];
}

async function chooseByItself(host: DeviceHost): Promise<ChosenDevices> {
  const cpu = (why: string): ChosenDevices => ({ kind: 'cpu', gpus: [], said: `cpu (${why})` });
  const found = await host.findCuda();
  if ('missing' in found) return cpu(found.missing);
  const probed = await probeAll(
    found.devices.map(({ index }) => ({ kind: 'cuda', index })),
    host,
  );
  const gpus = probed.filter((one) => 'provider' in one.probed).map(({ gpu }) => gpu);
  const reasons = probed
    .flatMap(({ gpu, probed: one }) => ('missing' in one ? [`not ${deviceName(gpu)}: ${one.missing}`] : []))
    .join('; ');
  if (gpus.length === 0) return cpu(reasons);
  const said = reasons === '' ? namesOf(gpus) : `${namesOf(gpus)} (${reasons})`;
  return { kind: 'cuda', gpus, said, ...lackOfFp16(probed) };
}

type ProbedGpu = { gpu: Gpu; probed: Awaited<ReturnType<DeviceHost['probe']>> };

function probeAll(gpus: readonly Gpu[], host: DeviceHost): Promise<ProbedGpu[]> {
  return Promise.all(gpus.map(async (gpu) => ({ gpu, probed: await host.probe(gpu) })));
}

function namesOf(gpus: readonly Gpu[]): string {
  return gpus.map(deviceName).join(', ');
}

function absent(what: string): DeviceError {
  return new DeviceError({ what, next: `${NEXT}, docs/devices.md what each device needs; -d cpu uses none of them` });
}
