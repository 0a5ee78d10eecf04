import assert from 'node:assert/strict';
import { chmod, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findCudaDevices } from '../../../src/inference/host-devices.js';
import { pinnedEnvironment } from '../../../src/inference/pinned-environment.js';
import { temporaryFolder } from '../../support/tiny-models.js';

const GIB = 2 ** 30;

describe('inference/host-devices', () => {
  let bin: string;
  before(async () => {
    bin = await temporaryFolder();
    const rows = ['0, GPU-aa11, 24576, NVIDIA GeForce RTX 4090', '1, GPU-bb22, 143771, NVIDIA H200, NVL', ''];
    const file = path.join(bin, 'nvidia-smi');
    await writeFile(file, `#!${process.execPath}\nprocess.stdout.write(${JSON.stringify(rows.join('\n'))})\n`);
    await chmod(file, 0o755);
  });
  after(() => rm(bin, { recursive: true }));

  const rtx = { model: 'NVIDIA GeForce RTX 4090', memoryBytes: 24 * GIB };
  const h200 = { model: 'NVIDIA H200, NVL', memoryBytes: 143771 * 2 ** 20 };

  it('lists what nvidia-smi lists, as CUDA_VISIBLE_DEVICES leaves and orders it', async () => {
    for (const [visible, expected] of [
      [
        undefined,
        [
          { index: 0, ...rtx },
          { index: 1, ...h200 },
        ],
      ],
      ['1', [{ index: 0, ...h200 }]],
      [
        'GPU-bb, 0',
        [
          { index: 0, ...h200 },
          { index: 1, ...rtx },
        ],
      ],
      ['MIG-0d9', [{ index: 0 }]],
    ] as const) {
      const env = { PATH: bin, ...(visible !== undefined && { CUDA_VISIBLE_DEVICES: visible }) };
      assert.deepEqual(await findCudaDevices(env), { devices: expected }, `CUDA_VISIBLE_DEVICES=${visible}`);
    }
    assert.deepEqual(await findCudaDevices({ PATH: bin, CUDA_VISIBLE_DEVICES: '' }), {
      missing: 'CUDA_VISIBLE_DEVICES is empty',
    });
  });

  it('pins a process to the one device, by the number that nvidia-smi gives it; to none for other kinds', () => {
    const cuda = (index: number, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
      pinnedEnvironment(env, { kind: 'cuda', index });
    assert.deepEqual(cuda(3, { A: 'b' }), {
      A: 'b',
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
      NVIDIA_TF32_OVERRIDE: '0',
      CUDA_VISIBLE_DEVICES: '3',
    });
    assert.equal(cuda(1, { CUDA_VISIBLE_DEVICES: '4, GPU-bb22' })['CUDA_VISIBLE_DEVICES'], 'GPU-bb22');
    assert.equal(cuda(0, { NVIDIA_TF32_OVERRIDE: '1' })['NVIDIA_TF32_OVERRIDE'], '1');
    assert.throws(() => cuda(2, { CUDA_VISIBLE_DEVICES: '0,1' }), { name: 'DeviceError', what: /no cuda:2/ });
    for (const kind of ['cpu', 'webgpu'] as const) {
      assert.deepEqual(pinnedEnvironment({ A: 'b' }, { kind, index: 0 }), { A: 'b', CUDA_VISIBLE_DEVICES: '' });
    }
  });
});
