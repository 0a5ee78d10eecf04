import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { boundTo, ownCores, shareCpus } from '../../../src/workers/cpu-affinity.js';
import { cpuDevices } from '../../../src/workers/cpu-devices.js';
import { cpusOf } from '../../support/processes.js';
import { temporaryFolder } from '../../support/tiny-models.js';

describe('workers/cpu-affinity', () => {
  it('gives each lane CPUs of its own, as many as it has threads, of cores of their own while there are enough', () => {
    const cores = [
      [0, 4],
      [1, 5],
      [2, 6],
      [3, 7],
    ];
    assert.deepEqual(shareCpus([2, 2], cores), [
      [0, 1],
      [2, 3],
    ]);
    assert.deepEqual(shareCpus([4, 4], cores), [
      [0, 4, 1, 5],
      [2, 6, 3, 7],
    ]);
    assert.deepEqual(shareCpus([1], [[7], [8]]), [[7]]);
    const device = { kind: 'cpu', threads: 2 };
    assert.deepEqual(cpuDevices(2, 4, cores), [
      { ...device, index: 0, cpus: [0, 1] },
      { ...device, index: 1, cpus: [2, 3] },
    ]);
    assert.deepEqual(cpuDevices(1, 2), [{ ...device, index: 0 }]);
  });

  it('more threads than CPUs go round', () => {
    assert.deepEqual(shareCpus([1, 1, 1], [[0], [1]]), [[0], [1], [0]]);
    assert.deepEqual(shareCpus([8, 1], [[0], [1], [2]]), [[0, 1, 2], [2]]);
  });

  it("counts the CPUs that this process may use, by core, a socket's cores side by side", async () => {
    const mine = cpusOf(process.pid);
    assert.deepEqual(
      (await ownCores()).flat().sort((a, b) => a - b),
      mine,
    );
    const topology = await temporaryFolder();
    const describe = async (place: (cpu: number) => { socket: number; core: number }): Promise<void> => {
      for (const cpu of mine) {
        const folder = path.join(topology, `cpu${cpu}`, 'topology');
        const { socket, core } = place(cpu);
        await mkdir(folder, { recursive: true });
        await writeFile(path.join(folder, 'physical_package_id'), `${socket}\n`);
        await writeFile(path.join(folder, 'core_id'), `${core}\n`);
      }
    };
    try {
      assert.deepEqual(
        await ownCores(topology),
        mine.map((cpu) => [cpu]),
        'hidden: each is a core',
      );
      await describe(() => ({ socket: 1, core: 5 }));
      assert.deepEqual(await ownCores(topology), [mine]);
      // The last CPU is on the first socket, all others on the second.
      const last = mine.at(-1)!;
      await describe((cpu) => ({ socket: cpu === last ? 0 : 1, core: cpu }));
      assert.deepEqual(await ownCores(topology), [[last], ...mine.slice(0, -1).map((cpu) => [cpu])]);
    } finally {
      await rm(topology, { recursive: true });
    }
  });

  it('says what is missing where processes cannot be bound', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nonexistent';
    try {
      await assert.rejects(ownCores(), {
        name: 'DeviceError',
        what: /^lanes cannot be bound to CPUs here: .*taskset/,
        next: /--cpu-bind/,
      });
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('keeps the program and its process id', () => {
    assert.deepEqual(boundTo([0, 3], 'node'), ['taskset', '--cpu-list', '0,3', 'node']);
  });
});
