import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { embeddedConnectionOptions } from '../../src/server/dev-server.js';
import { isFree, LOOPBACK, type Ports } from '../../src/server/ports.js';
import { openStateFolder } from '../../src/server/state-folder.js';
import { serverStatus } from '../../src/server/status.js';
import { MemberProcess, type MemberEvent } from '../support/member.js';
import { eventually, pidsOf } from '../support/processes.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

describeWithTemporal('supervision of the embedded Temporal', function (temporalCli) {
  let dir: string;
  let stateDir: string;
  let marks: string;
  const members: MemberProcess[] = [];
  const listeners: Server[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vnp-server-'));
    stateDir = path.join(dir, 'state');
    marks = path.join(dir, 'marks');
    await appendFile(marks, '');
  });

  afterEach(async () => {
    for (const listener of listeners.splice(0)) listener.close();
    await Promise.all(members.splice(0).map((member) => member.kill()));
    await eventually(() => pidsOf(dir).length === 0, 5_000);
    await rm(dir, { recursive: true });
  });

  const start = (env = {}, cli = temporalCli): MemberProcess => {
    const member = new MemberProcess(stateDir, cli, marks, env);
    members.push(member);
    return member;
  };
  const servers = (): number[] => pidsOf(path.join(stateDir, 'temporal.db'));
  const agents = (): number[] => pidsOf(`${marks} polite`);
  const said = async (word: string): Promise<number> =>
    (await readFile(marks, 'utf8')).split('\n').filter((line) => line.startsWith(word)).length;
  const ports = async (): Promise<Ports> =>
    JSON.parse(await readFile(path.join(stateDir, 'ports.json'), 'utf8')) as Ports;
  const isReady = ({ event, phase }: MemberEvent): boolean => event === 'state' && phase === 'ready';

  async function withClient<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
    const connection = await Connection.connect(embeddedConnectionOptions(address));
    return use(new Client({ connection })).finally(() => connection.close());
  }
  const startWorkflow = (client: Client, id: string): Promise<unknown> =>
    client.workflow.start('nobodyRunsThis', { taskQueue: 'none', workflowId: id });
  async function listed(client: Client): Promise<string[]> {
    const ids: string[] = [];
    for await (const { workflowId } of client.workflow.list()) ids.push(workflowId);
    return ids;
  }

  it('two at once: one supervisor, one server, one agent; the second goes on when the first leaves', async () => {
    const [first, second] = [start(), start()];
    const joined = await Promise.all([first.joined(), second.joined()]);
    assert.deepEqual(joined.map(({ isSupervisor }) => isSupervisor).sort(), [false, true]);
    assert.equal(joined[0].address, joined[1].address);
    assert.equal(servers().length, 1);
    await eventually(async () => (await said('started')) === 1, 3_000);

    const [supervisor, follower] = joined[0].isSupervisor ? [first, second] : [second, first];
    const status = await serverStatus(stateDir);
    assert.equal(status.running && status.supervisorPid, supervisor.pid);
    await withClient(joined[0].address!, (client) => startWorkflow(client, 'before'));

    const heard = follower.events.length;
    await supervisor.close();
    const ready = await follower.event(isReady, heard);
    assert.equal(ready.isSupervisor, true);
    await withClient(joined[0].address!, async (client) => {
      await eventually(async () => (await listed(client)).includes('before'), 3_000);
    });
    await eventually(async () => (await said('started')) === 2, 3_000);
    await follower.close();
    assert.deepEqual(pidsOf(dir), []);
    for (const port of Object.values(await ports())) assert.ok(await isFree(port));
    assert.deepEqual(await serverStatus(stateDir), { running: false, stateDir });
    assert.equal(await said('stopped'), 2, 'each agent ended by itself');
  });

  it('SIGKILL of the supervisor takes server and agent with it; a follower takes over on the same database', async () => {
    const supervisor = start();
    const { address } = await supervisor.joined();
    const follower = start();
    assert.equal((await follower.joined()).isSupervisor, false);
    await withClient(address!, (client) => startWorkflow(client, 'survivor'));
    await eventually(() => agents().length === 1, 3_000);
    const [oldServer, oldAgent] = [servers()[0], agents()[0]];

    const heard = follower.events.length;
    await supervisor.kill();
    const ready = await follower.event(isReady, heard);
    assert.equal(ready.isSupervisor, true);
    await eventually(() => agents().length === 1, 3_000);
    assert.equal(servers().length, 1);
    assert.notEqual(servers()[0], oldServer);
    assert.notEqual(agents()[0], oldAgent);
    await withClient(address!, async (client) => {
      await eventually(async () => (await listed(client)).includes('survivor'), 3_000);
    });
    await follower.close();
  });

  it('SIGKILL of the server: back at the same address within seconds, and everybody is told', async () => {
    const supervisor = start();
    const { address } = await supervisor.joined();
    const follower = start();
    await follower.joined();
    const heard = follower.events.length;
    const [server] = servers();
    process.kill(server!, 'SIGKILL');
    await follower.event(({ phase }) => phase === 'restarting', heard);
    await follower.event(isReady, heard);
    assert.notEqual(servers()[0], server);
    await withClient(address!, (client) => startWorkflow(client, 'after'));
    await follower.close();
    await supervisor.close();
  });

  it('a dead agent is started again', async () => {
    const supervisor = start();
    await supervisor.joined();
    await eventually(() => agents().length === 1, 3_000);
    const [agent] = agents();
    process.kill(agent!, 'SIGKILL');
    await eventually(() => agents().length === 1 && agents()[0] !== agent, 3_000);
    await supervisor.close();
  });

  it('Ctrl-C reaches the command, not its server and agent', async () => {
    const supervisor = start();
    await supervisor.joined();
    await eventually(() => agents().length === 1, 3_000);
    const before = [...servers(), ...agents()];
    supervisor.interruptGroup();
    await supervisor.event(({ event }) => event === 'interrupted');
    await sleep(300);
    assert.deepEqual([...servers(), ...agents()], before);
    await supervisor.close();
    assert.deepEqual(pidsOf(dir), []);
  });

  it('a server that outlived its supervisor (no parent-death signal) is ended by the next one', async () => {
    const bin = path.join(dir, 'bin');
    await mkdir(bin);
    await symlink(execFileSync('which', ['ps'], { encoding: 'utf8' }).trim(), path.join(bin, 'ps'));
    const first = start({ PATH: bin });
    await first.joined();
    const [orphan] = servers();
    await first.kill();
    await sleep(200);
    assert.deepEqual(servers(), [orphan]);

    const second = start({ PATH: bin });
    assert.equal((await second.joined()).isSupervisor, true);
    assert.equal(servers().length, 1);
    assert.notEqual(servers()[0], orphan);
    await second.close();
  });

  for (const name of ['supervisor', 'server', 'ui'] as const) {
    it(`another program on the ${name} port is named in the error, and nothing stays behind`, async () => {
      const port = (await openStateFolder(stateDir)).ports[name];
      const foreign = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-someone\r\n'));
      listeners.push(foreign);
      await new Promise<void>((resolve) => foreign.listen(port, LOOPBACK, resolve));

      const failed = await start().joined();
      assert.equal(failed.name, 'ServerError');
      assert.match(failed.message!, new RegExp(`port ${port} on 127.0.0.1, the embedded Temporal's ${name} port`));
      assert.match(failed.message!, /ports\.json.*new ports are chosen/);
      assert.deepEqual(servers(), []);
    });
  }

  it('a damaged database is said to be damaged', async () => {
    await mkdir(stateDir);
    await writeFile(path.join(stateDir, 'temporal.db'), 'not a database at all, '.repeat(400));
    const failed = await start().joined();
    assert.match(failed.message!, /database of the embedded Temporal is damaged.*temporal\.db.*Move it away/s);
  });

  it('a command that is no Temporal CLI fails with its last words', async () => {
    const broken = path.join(dir, 'broken');
    await writeFile(broken, '#!/bin/sh\necho cannot reticulate splines >&2\nexit 3\n', { mode: 0o755 });
    assert.match((await start({}, broken).joined()).message!, /ended with exit code 3.*cannot reticulate splines/);
  });
});
