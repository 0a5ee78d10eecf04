import assert from 'node:assert/strict';
import { openSync, closeSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ManagedChild } from '../../src/server/managed-child.js';
import { eventually, pidsOf } from '../support/processes.js';

describe('server/managed-child', () => {
  const program = fileURLToPath(new URL('../support/fixture-agent.js', import.meta.url));
  let dir: string;
  let marks: string;
  let log: number;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vnp-child-'));
    marks = path.join(dir, 'marks');
    await appendFile(marks, '');
    log = openSync(path.join(dir, 'log'), 'a');
  });
  afterEach(() => {
    closeSync(log);
    return rm(dir, { recursive: true });
  });

  async function started(manners: string): Promise<ManagedChild> {
    const child = await ManagedChild.start(
      { command: process.execPath, args: [program, marks, manners] },
      { log, ipc: true },
    );
    await eventually(async () => (await readFile(marks, 'utf8')).startsWith('started'), 5_000);
    return child;
  }

  it('ends by SIGTERM when it obeys', async () => {
    const child = await started('polite');
    await child.stop(5_000);
    assert.equal(await child.exited, 'exit code 0');
  });

  it('ends by SIGKILL when it does not', async () => {
    const child = await started('stubborn');
    await child.stop(200);
    assert.equal(await child.exited, 'signal SIGKILL');
  });

  it('takes what it started with it', async () => {
    const child = await ManagedChild.start(
      { command: '/bin/sh', args: ['-c', `sh -c 'sleep 60; : ${marks}' & sleep 0.3; exit 4`] },
      { log, ipc: false },
    );
    assert.equal(await child.exited, 'exit code 4');
    await eventually(() => pidsOf(marks).length === 0, 2_000);
  });
});
