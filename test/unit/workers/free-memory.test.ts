import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freeMemory } from '../../../src/workers/free-memory.js';

describe('workers/free-memory', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'virnucpro-memory-'));
    await file(
      'proc/meminfo',
      'MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n',
    );
  });
  afterEach(() => rm(root, { recursive: true }));

  async function file(name: string, text: string): Promise<void> {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }

  it('is what the machine has available', async () => {
    assert.equal(await freeMemory(root), 8_000_000 * 1024);
  });

  it('is what the limit of its group leaves; the page cache can be taken back', async () => {
    await file('proc/self/cgroup', '0::/pod\n');
    await file('sys/fs/cgroup/pod/memory.max', '4000000000\n');
    await file('sys/fs/cgroup/pod/memory.current', '3900000000\n');
    await file(
      'sys/fs/cgroup/pod/memory.stat',
      'anon 500000000\nfile 3400000000\nshmem 400000000\ninactive_file 1000000000\nactive_file 2000000000\n',
    );
    assert.equal(await freeMemory(root), 3_100_000_000);
  });

  it('a group without a limit does not count', async () => {
    await file('proc/self/cgroup', '0::/\n');
    await file('sys/fs/cgroup/memory.max', 'max\n');
    assert.equal(await freeMemory(root), 8_000_000 * 1024);
  });

  it('says something on a system without /proc', async () => {
    await rm(path.join(root, 'proc'), { recursive: true });
    assert.ok((await freeMemory(root)) > 0);
  });
});
