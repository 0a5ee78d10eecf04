import assert from 'node:assert/strict';
import { chooseDevices, type DeviceHost, parseRunDevices, usableGpus } from '../../../src/cli/choose-devices.js';
import type { NamedDevice } from '../../../src/cli/device-names.js';
import { assertPrecisionFits, defaultPrecision } from '../../../src/cli/precision.js';
import { device as deviceType, listOf } from '../../../src/cli/options/value-types.js';
import { deviceName } from '../../../src/contract/devices.js';

/** A host with `cuda` CUDA devices; those in `broken`, also WebGPU, cannot be used, those in `noFp16` not in fp16. */
function host(
  cuda: number,
  broken: Record<string, string> = {},
  noFp16: Record<string, string> = {},
): DeviceHost & { tried: string[] } {
  const tried: string[] = [];
  return {
    tried,
    findCuda: async () =>
      cuda === 0
        ? { missing: 'no NVIDIA driver' }
        : { devices: Array.from({ length: cuda }, (_, index) => ({ index, model: 'H100' })) },
    probe: async (device) => {
      tried.push(deviceName(device));
      const missing = broken[deviceName(device)];
      if (missing !== undefined) return { missing };
      const reason = noFp16[deviceName(device)];
      return { provider: 'onnxruntime', ...(reason !== undefined && { noFp16: reason }) };
    },
  };
}

const cuda = (...indices: number[]): NamedDevice[] => indices.map((index) => ({ kind: 'cuda', index }));
const webgpu0: NamedDevice[] = [{ kind: 'webgpu', index: 0 }];

describe('cli/choose-devices', () => {
  it('reads -d and --gpus: devices 2 and 3 are devices 2 and 3', () => {
    for (const [device, gpus, expected] of [
      ['auto', undefined, 'auto'],
      ['cpu', undefined, [{ kind: 'cpu' }]],
      ['cuda', undefined, [{ kind: 'cuda' }]],
      ['cuda:1', undefined, cuda(1)],
      ['0', undefined, cuda(0)],
      ['webgpu', undefined, webgpu0],
      ['webgpu:0', undefined, webgpu0],
      ['auto', '2,3', cuda(2, 3)],
      ['cuda', '0', cuda(0)],
    ] as const) {
      assert.deepEqual(parseRunDevices(device, gpus), expected, `-d ${device} --gpus ${gpus}`);
    }
    assert.deepEqual(listOf(deviceType()).parse('cpu,cuda:0, 1,webgpu:0'), [
      { kind: 'cpu' },
      ...cuda(0, 1),
      ...webgpu0,
    ]);
  });

  it('refuses what names no device, and two options that contradict each other', () => {
    for (const [device, gpus, what] of [
      ['gpu', undefined, /^--device is "gpu", allowed are auto, cpu, cuda, cuda:N, N, webgpu:N$/],
      ['0,1', undefined, /^--device is "0,1"/],
      ['auto', 'cuda:0', /^--gpus is "cuda:0", allowed are numbers of CUDA devices: 0,1$/],
      ['cpu', '0', /^--gpus 0 names CUDA devices, --device is cpu$/],
      ['cuda:1', '0', /--device is cuda:1$/],
    ] as const) {
      assert.throws(() => parseRunDevices(device, gpus), { name: 'OptionError', what });
    }
    const refused = listOf(deviceType()).safeParse('cpu,auto');
    assert.match(refused.error!.issues[0]!.message, /^allowed are cpu, cuda, cuda:N, N, webgpu:N; /);
  });

  it('auto is every CUDA device that works, else the CPU, and says why', async () => {
    for (const [there, kind, indices, said] of [
      [host(0), 'cpu', [], 'cpu (no NVIDIA driver)'],
      [host(2), 'cuda', [0, 1], 'cuda:0, cuda:1'],
      [host(2, { 'cuda:0': 'in use' }), 'cuda', [1], 'cuda:1 (not cuda:0: in use)'],
      [host(1, { 'cuda:0': 'no provider' }), 'cpu', [], 'cpu (not cuda:0: no provider)'],
    ] as const) {
      assert.deepEqual(await chooseDevices('auto', there), { kind, gpus: cuda(...indices), said });
    }
  });

  it('takes what was named, each once, and tries nothing else', async () => {
    const four = host(4);
    assert.deepEqual(await chooseDevices(cuda(2, 3, 2), four), {
      kind: 'cuda',
      gpus: cuda(2, 3),
      said: 'cuda:2, cuda:3',
    });
    assert.deepEqual(four.tried, ['cuda:2', 'cuda:3']);
    assert.deepEqual((await chooseDevices([{ kind: 'cuda' }], host(2))).gpus, cuda(0, 1));
    const other = host(2);
    assert.deepEqual(await chooseDevices(webgpu0, other), { kind: 'webgpu', gpus: webgpu0, said: 'webgpu:0' });
    assert.deepEqual(other.tried, ['webgpu:0']);
    const none = host(2);
    assert.deepEqual(await chooseDevices([{ kind: 'cpu' }], none), { kind: 'cpu', gpus: [], said: 'cpu' });
    assert.deepEqual(none.tried, []);
  });

  it('says which of the devices cannot compute in fp16, and that stops a run in fp16', async () => {
    const old = { 'cuda:1': 'too old' };
    for (const asked of ['auto', cuda(0, 1)] as const) {
      const { kind, noFp16 } = await chooseDevices(asked === 'auto' ? asked : [...asked], host(2, {}, old));
      assert.deepEqual([kind, noFp16], ['cuda', 'cuda:1: too old']);
      assertPrecisionFits('fp32', { kind, noFp16 });
      assert.throws(() => assertPrecisionFits('fp16', { kind, noFp16 }), {
        name: 'DeviceError',
        what: 'fp16, the default on a GPU, cannot be used: cuda:1: too old',
        next: /^Give --precision fp32; /,
      });
    }
    assert.equal((await chooseDevices(cuda(0), host(2, {}, old))).noFp16, undefined);
  });

  it('knows each kind of device its precisions', () => {
    assert.deepEqual((['cpu', 'cuda', 'webgpu'] as const).map(defaultPrecision), ['fp32', 'fp16', 'fp16']);
    for (const [precision, kind] of [
      ['fp32', 'cpu'],
      ['int8', 'cpu'],
      ['fp32', 'cuda'],
      ['fp16', 'cuda'],
      ['fp16', 'webgpu'],
    ] as const) {
      assertPrecisionFits(precision, { kind });
    }
    for (const [precision, kind, what, next] of [
      ['int8', 'cuda', 'int8 is for CPU lanes, --device is cuda', 'Give --precision fp16 or fp32, or -d cpu'],
      [
        'fp16',
        'cpu',
        'fp16 is for GPU lanes, and the device is cpu, where it gains nothing',
        'Give --precision fp32 or int8, or a GPU (-d)',
      ],
    ] as const) {
      assert.throws(() => assertPrecisionFits(precision, { kind }), { name: 'OptionError', what, next });
    }
  });

  it('fails for a device that was named and cannot be used: nothing falls back', async () => {
    for (const [named, there, what] of [
      [cuda(0), host(0), 'there is no CUDA device: no NVIDIA driver'],
      [[{ kind: 'cuda' }], host(0), 'there is no CUDA device: no NVIDIA driver'],
      [cuda(0, 7), host(2), 'there is no cuda:7; this host has cuda:0, cuda:1'],
      [[{ kind: 'cuda' }], host(2, { 'cuda:1': 'in use' }), 'cuda:1 cannot be used: in use'],
      [webgpu0, host(0, { 'webgpu:0': 'no adapter' }), 'webgpu:0 cannot be used: no adapter'],
    ] as [NamedDevice[], DeviceHost, string][]) {
      await assert.rejects(chooseDevices(named, there), { name: 'DeviceError', what });
      await assert.rejects(usableGpus([{ kind: 'cpu' }, ...named], there), { name: 'DeviceError', what });
    }
  });
});
