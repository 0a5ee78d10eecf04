import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunRecord } from '../../src/cli/run-record.js';
import type { RunView } from '../../src/cli/runs.js';
import { startApiKeyFront } from '../support/api-key-front.js';
import { type CliCall, startCli, tinyModels } from '../support/cli.js';
import { compareResults } from '../support/compare-results.js';
import { AgentProcess } from '../support/faults/agent-process.js';
import { hostEnvironment } from '../support/faults/fault-bench.js';
import { setBehaviour } from '../support/faults/lane-behaviour.js';
import { goldenCases } from '../support/golden.js';
import { freePort } from '../support/free-port.js';
import { OwnServer } from '../support/own-server.js';
import { eventually } from '../support/processes.js';
import { freeAddress, scrape } from '../support/prometheus.js';
import { describeWithTemporal } from '../support/temporal-cli.js';
import { hasOpenssl, makeCertificates } from '../support/tls-front.js';

const lambda = goldenCases.find(({ name }) => name === 'lambda-500')!;

describeWithTemporal('virnucpro on a Temporal service', (temporalCli) => {
  let dir: string;
  let server: OwnServer;
  let env: NodeJS.ProcessEnv;
  let agent: AgentProcess | undefined;
  let behaviour: string;

  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-service-'));
    behaviour = path.join(dir, 'behaviour.json');
    const port = await freePort();
    env = { TEMPORAL_ADDRESS: `127.0.0.1:${port}`, TEMPORAL_CONFIG_FILE: path.join(dir, 'none.toml') };
    // The service comes while a command waits for it: --service submits though no agent is there.
    const early = predict('early', '--detach', '--service');
    const metrics = await freeAddress();
    const waiting = cli(['worker', '--roles', 'cpu', '--host', 'early', '--metrics', metrics]);
    await eventually(() => /is away: connect ECONNREFUSED .*; trying again/.test(early.output()), 60_000);
    await eventually(() => /ECONNREFUSED.*server is away, trying again/.test(waiting.output()), 60_000);
    server = await OwnServer.start(temporalCli, port);
    const { code, stderr } = await early.ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Started virnucpro-input-\w+\n.*goes on without this command/);
    await eventually(() => waiting.output().includes('agent started'), 60_000);
    assert.ok((await scrape(metrics)).sum('temporal_worker_start_total')! > 0);
    waiting.child.kill('SIGTERM');
    assert.equal((await waiting.ended).code, 0);
  });
  after(async () => {
    await agent?.kill('SIGKILL');
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const cli = (args: string[], more: NodeJS.ProcessEnv = {}): CliCall =>
    startCli(args, path.join(dir, 'state'), '', { ...env, ...more });
  const out = (name: string): string => path.join(dir, name);
  const predict = (name: string, ...more: string[]): CliCall =>
    cli([
      'predict',
      `${lambda.dir}/input.fa`,
      '-o',
      out(name),
      '-d',
      'cpu',
      '--batch-sequences',
      '5',
      ...more,
      ...tinyModels,
    ]);
  const record = async (name: string): Promise<RunRecord> =>
    JSON.parse(await readFile(path.join(out(name), '.virnucpro/run.json'), 'utf8')) as RunRecord;
  const assertGolden = async (name: string): Promise<void> => {
    for (const table of ['prediction_results.txt', 'prediction_results_highestscore.csv']) {
      await compareResults(path.join(out(name), 'input_merged', table), path.join(lambda.dir, table));
    }
  };

  it('submits nothing by accident, and says at once what no waiting puts right', async () => {
    const accident = await predict('accident').ended;
    assert.equal(accident.code, 2);
    assert.match(
      accident.stderr,
      /^Temporal service: 127\.0\.0\.1:\d+ \(namespace default\), as TEMPORAL_ADDRESS is set/,
    );
    assert.match(accident.stderr, /no virnucpro agent with the role control was seen/);
    assert.equal((await cli(['status', out('accident')]).ended).code, 2, 'no record is left');

    const input = path.join(dir, 'twice.fa');
    await writeFile(input, '>a\nACGT\n>a\nACGT\n');
    const calls: [CliCall, number, RegExp][] = [
      [cli(['list'], { TEMPORAL_NAMESPACE: 'nope' }), 1, /no such namespace: Namespace nope is not found\.\nSet /],
      [cli(['list'], { TEMPORAL_TLS: 'true' }), 1, /no TLS connection: wrong version number\nCheck TEMPORAL_TLS_/],
      [predict('auto', '-d', 'auto'), 2, /--device is auto.*\n.*-d cpu/],
      [predict('both', '--detach', '--with-agent'), 2, /--detach and --with-agent/],
      [cli(['predict', input, '-o', out('bad'), '-d', 'cpu', '--service', ...tinyModels]), 1, /twice\.fa.*line 3/],
    ];
    for (const [call, code, message] of calls) {
      const ended = await call.ended;
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, message);
    }
    const away = { TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` };
    const gone = await cli(['list'], away).ended;
    assert.match(
      gone.stderr,
      /^error: .*the Temporal service is away: connect ECONNREFUSED .*\nCheck TEMPORAL_ADDRESS/,
    );
    assert.equal(gone.code, 1);
  }).timeout(120_000);

  it('leaves its run on Ctrl-C, attaches again, is steered by folder, and gives the tables that it gives here', async () => {
    await setBehaviour(behaviour, { callMs: 3000 });
    const hostEnv = { ...process.env, ...env, ...hostEnvironment(behaviour) };
    agent = new AgentProcess({ host: 'fleet', roles: 'control,cpu,lanes' }, hostEnv, path.join(dir, 'agent.log'));
    const early = await record('early');
    assert.deepEqual(early.service, { address: env['TEMPORAL_ADDRESS'], namespace: 'default' });

    // Its run has waited for an agent. The folder knows the service, and no variable is needed.
    const attached = cli(['attach', out('early')], { TEMPORAL_ADDRESS: '' });
    await eventually(() => /dnabert-s: /.test(attached.output()), 90_000);
    attached.child.kill('SIGINT');
    assert.equal((await attached.ended).code, 0);

    const again = predict('early');
    await eventually(() => /Going on with .*[^]*dnabert-s: /.test(again.output()), 60_000);
    again.child.kill('SIGINT');
    const left = await again.ended;
    assert.equal(left.code, 130, left.stderr);
    assert.match(
      left.stderr,
      new RegExp(`${early.workflowId} goes on without this command\n.*virnucpro attach ${dir}`),
    );

    const paused = await cli(['pause', out('early')]).ended;
    assert.equal(paused.code, 0, paused.stderr);
    const view = async (): Promise<RunView> =>
      JSON.parse((await cli(['status', out('early'), '--json']).ended).stdout) as RunView;
    await eventually(async () => (await view()).state === 'paused', 60_000);
    assert.equal((await view()).id, early.workflowId);
    const elsewhere = await cli([
      'predict',
      `${lambda.dir}/input.fa`,
      '-o',
      out('early'),
      '--no-service',
      ...tinyModels,
    ]).ended;
    assert.equal(elsewhere.code, 2);
    assert.match(elsewhere.stderr, /is on the Temporal service 127.*, not on this machine's own server\n/);

    await setBehaviour(behaviour, {});
    assert.equal((await cli(['resume', early.workflowId]).ended).code, 0);

    const last = await predict('early').ended;
    assert.equal(last.code, 0, last.stderr);
    await assertGolden('early');
    assert.equal((await record('early')).state, 'done');
    assert.match((await predict('early').ended).stderr, /already done/);
  }).timeout(240_000);

  it('finds a detached run that ended meanwhile, and does not run it again', async () => {
    const detached = await predict('detached', '--detach').ended;
    assert.equal(detached.code, 0, detached.stderr);
    const { workflowId } = await record('detached');
    const state = async (): Promise<string> =>
      (JSON.parse((await cli(['status', workflowId, '--json']).ended).stdout) as RunView).state;
    await eventually(async () => (await state()) === 'done', 90_000);
    const table = path.join(out('detached'), 'campaign.tsv');
    const { mtimeMs } = await stat(table);
    const same = await predict('detached').ended;
    assert.equal(same.code, 0, same.stderr);
    assert.ok(!same.stderr.includes('Started'), same.stderr);
    assert.match(same.stdout, /called chunks look viral/);
    assert.equal((await stat(table)).mtimeMs, mtimeMs);
    await assertGolden('detached');
  }).timeout(180_000);

  (hasOpenssl ? it : it.skip)('takes an API key over TLS from the environment (needs openssl)', async () => {
    const certificates = makeCertificates(dir);
    const front = await startApiKeyFront(server.address, certificates, 'right');
    // An agent says it as the other commands do, and ends: no wait puts it right.
    const agentEnds = async (variables: NodeJS.ProcessEnv, lines: RegExp): Promise<void> => {
      const { code, stderr } = await cli(['worker', '--roles', 'cpu,control'], variables).ended;
      assert.equal(code, 1, stderr);
      assert.match(stderr, lines);
      assert.equal(stderr.trimEnd().split('\n').length, 2, stderr);
    };
    try {
      const secured = {
        TEMPORAL_ADDRESS: front.address,
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.authority,
        TEMPORAL_TLS_SERVER_NAME: 'temporal.test',
      };
      const listed = await cli(['list'], { ...secured, TEMPORAL_API_KEY: 'right' }).ended;
      assert.equal(listed.code, 0, listed.stderr);
      assert.match(listed.stdout, /virnucpro-input-/);
      const wrong = await cli(['list'], { ...secured, TEMPORAL_API_KEY: 'wrong' }).ended;
      assert.equal(wrong.code, 1);
      assert.match(wrong.stderr, /refuses this API key: invalid API key\nCheck TEMPORAL_API_KEY/);
      await agentEnds(
        { ...secured, TEMPORAL_API_KEY: 'wrong' },
        /^error: \S+ \(namespace default\): .* refuses this API key: invalid API key\nCheck TEMPORAL_API_KEY/,
      );
      await agentEnds(
        { TEMPORAL_NAMESPACE: 'nowhere' },
        /^error: \S+ \(namespace nowhere\): .*has no such namespace: .*\nSet TEMPORAL_NAMESPACE/,
      );
      await agentEnds({ TEMPORAL_ADDRESS: front.address }, /speaks TLS only\nSet TEMPORAL_TLS=true/);
      const plain = await cli(['list'], { TEMPORAL_ADDRESS: front.address }).ended;
      assert.equal(plain.code, 1);
      assert.match(plain.stderr, /speaks TLS only\nSet TEMPORAL_TLS=true/);
      const unknown = await cli(['list'], { TEMPORAL_ADDRESS: front.address, TEMPORAL_API_KEY: 'right' }).ended;
      assert.match(unknown.stderr, /no TLS connection: .*certificate/);
    } finally {
      front.close();
    }
  }).timeout(120_000);
});
