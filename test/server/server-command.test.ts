import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { connectPatiently } from '../../src/cli/patient-connection.js';
import { openRunIds } from '../../src/cli/runs.js';
import { startCli } from '../support/cli.js';
import { eventually, pidsOf } from '../support/processes.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

describeWithTemporal('virnucpro server', (temporalCli) => {
  const program = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-server-command-'))));
  afterEach(() => rm(dir, { recursive: true }));

  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [program, 'server', ...args], {
      env: { ...process.env, VIRNUCPRO_STATE_DIR: path.join(dir, 'state'), VIRNUCPRO_TEMPORAL_CLI: temporalCli },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  async function run(...args: string[]): Promise<{ code: number; out: string }> {
    const child = start(...args);
    const [out, [code]] = await Promise.all([text(child.stdout!), once(child, 'exit') as Promise<[number]>]);
    return { code, out };
  }

  it('start serves until Ctrl-C; status tells which process, where, and the exit code', async () => {
    assert.deepEqual(await run('status', '--json'), {
      code: 1,
      out: `{"running":false,"stateDir":"${dir}/state"}\n`,
    });
    const server = start('start');
    const [printed] = (await once(server.stdout!, 'data')) as [Buffer];
    const address = /Temporal server +(127\.0\.0\.1:\d+) \(namespace default\)/.exec(`${printed}`)?.[1];
    assert.ok(address, `${printed}`);

    const status = await run('status', '--json');
    assert.equal(status.code, 0);
    const { uiUrl, ...rest } = JSON.parse(status.out) as Record<string, unknown> & { uiUrl: string };
    assert.deepEqual(rest, {
      running: true,
      stateDir: path.join(dir, 'state'),
      phase: 'ready',
      supervisorPid: server.pid,
      address,
    });
    assert.equal((await fetch(uiUrl)).status, 200);

    const exited = once(server, 'exit');
    server.kill('SIGINT');
    assert.deepEqual(await exited, [0, null]);
    assert.equal((await run('status')).code, 1);
    assert.deepEqual(pidsOf(dir), []);
  });

  it('start leaves nothing behind when it is interrupted at any time of its start', async () => {
    for (const ms of [400, 600, 800]) {
      const server = start('start');
      const exited = once(server, 'exit');
      await sleep(ms);
      server.kill('SIGINT');
      await exited;
      assert.deepEqual(pidsOf(path.join(dir, 'state')), [], `after ${ms} ms`);
    }
    assert.equal((await run('status')).code, 1);
  });

  it('stop ends the server and every command that keeps it up, refuses while a run is open, and --force does not', async () => {
    assert.deepEqual(await run('stop'), { code: 0, out: `not running (state folder ${dir}/state)\n` });
    const members = [start('start'), start('start')];
    const exits = members.map((member) => once(member, 'exit'));
    const [[printed]] = (await Promise.all(members.map((member) => once(member.stdout!, 'data')))) as [[Buffer]];
    const address = /127\.0\.0\.1:\d+/.exec(`${printed}`)![0];
    const { connection, close } = connectPatiently({ address });
    const client = new Client({ connection });
    const workflowId = 'virnucpro-nobody-serves-it';
    await client.workflow.start('predictCampaign', { taskQueue: 'nobody', workflowId });
    // What can be listed lags behind what was started.
    await eventually(async () => (await openRunIds(client)).length === 1, 10_000);
    await close();
    const refused = await startCli(['server', 'stop'], path.join(dir, 'state')).ended;
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^error: a run is open: virnucpro-nobody-serves-it\n.*--force/);
    assert.equal((await run('status')).code, 0);

    assert.deepEqual(await run('stop', '--force'), { code: 0, out: 'Stopped\n' });
    assert.deepEqual(await Promise.all(exits), [
      [0, null],
      [0, null],
    ]);
    assert.deepEqual(pidsOf(dir), []);
  });

  it('install prints the path of a Temporal CLI', async () => {
    assert.deepEqual(await run('install'), { code: 0, out: `${temporalCli}\n` });
  });
});
