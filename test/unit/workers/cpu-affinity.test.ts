import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { boundTo, ownCpus, shareCpus } from '../../../src/workers/cpu-affinity.js';
import { cpuDevices } from '../../../src/workers/cpu-devices.js';
import { cpusOf } from '../../support/processes.js';
import { temporaryFolder } from '../../support/tiny-models.js';

describe('workers/cpu-affinity', () => {
  it('gives each lane CPUs of its own, as many as it has threads; more threads than CPUs go round', () => {
    assert.deepEqual(shareCpus([2, 2, 1], [0, 4, 1, 5, 2]), [[0, 4], [1, 5], [2]]);
    assert.deepEqual(shareCpus([1], [7, 8]), [[7]]);
    assert.deepEqual(shareCpus([1, 1, 1], [0, 1]), [[0], [1], [0]]);
    assert.deepEqual(shareCpus([8, 1], [0, 1, 2]), [[0, 1, 2], [2]]);
    const device = { kind: 'cpu', threads: 2 };
    assert.deepEqual(cpuDevices(2, 4, [0, 1, 2, 3]), [
      { ...device, index: 0, cpus: [0, 1] },
      { ...device, index: 1, cpus: [2, 3] },
    ]);
    assert.deepEqual(cpuDevices(1, 2), [{ ...device, index: 0 }]);
  });

  it("counts the CPUs that this process may use, a core's threads and a socket's cores side by side", async () => {
    const mine = cpusOf(process.pid);
    const ascending = (await ownCpus()).sort((a, b) => a - b);
    assert.deepEqual(ascending, mine);
    const topology = await temporaryFolder();
    try {
      // The last CPU comes first: it is on the first socket, all others on the second.
      for (const cpu of mine) {
        const folder = path.join(topology, `cpu${cpu}`, 'topology');
        await mkdir(folder, { recursive: true });
        await writeFile(path.join(folder, 'physical_package_id'), cpu === mine.at(-1) ? '0\n' : '1\n');
        await writeFile(path.join(folder, 'core_id'), '0\n');
      }
      assert.deepEqual(await ownCpus(topology), [...mine.slice(-1), ...mine.slice(0, -1)]);
    } finally {
      await rm(topology, { recursive: true });
    }
  });

  it('says what is missing where processes cannot be bound', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nonexistent';
    try {
      await assert.rejects(ownCpus(), {
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
