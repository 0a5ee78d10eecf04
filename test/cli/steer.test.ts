import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import type { RunView } from '../../src/cli/runs.js';
import { processesOf, startCli, tinyModels } from '../support/cli.js';
import { goldenCases } from '../support/golden.js';
import { hostEnvironment } from '../support/faults/fault-bench.js';
import { setBehaviour } from '../support/faults/lane-behaviour.js';
import { eventually } from '../support/processes.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

const lambda = goldenCases.find(({ name }) => name === 'lambda-500')!;

describeWithTemporal('a run seen from another terminal', () => {
  let dir: string;
  let stateDir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-steer-'));
    stateDir = path.join(dir, 'state');
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const cli = (...args: string[]): ReturnType<typeof startCli>['ended'] => startCli(args, stateDir).ended;
  const status = async (...args: string[]): Promise<RunView> =>
    JSON.parse((await cli('status', ...args, '--json')).stdout) as RunView;

  it('starts nothing to say that there is no run', async () => {
    assert.equal((await cli('list')).stdout, 'No runs\n');
    const { code, stderr } = await cli('status', 'nope');
    assert.equal(code, 2);
    assert.match(stderr, /no run nope/);
    assert.equal((await cli('attach', 'nope')).code, 2);
  }).timeout(30_000);

  it('is listed, paused, resumed, watched and cancelled; the same command goes on with it', async () => {
    const out = path.join(dir, 'out');
    const args = ['predict', `${lambda.dir}/input.fa`, '-o', out, '--batch-sequences', '2', ...tinyModels];
    // Slow devices make the run last until all is said.
    const behaviour = path.join(dir, 'behaviour.json');
    await setBehaviour(behaviour, { callMs: 3000 });
    const run = startCli(args, stateDir, '', hostEnvironment(behaviour));
    await eventually(() => /dnabert-s: [1-9]/.test(run.output()), 90_000);

    const seen = await status('-o', out);
    const { id, progress } = seen;
    assert.match(run.output(), new RegExp(`Started ${id}\n`));
    assert.deepEqual([seen.state, seen.samples, seen.open, seen.outputDir], ['embedding', 1, true, out]);
    assert.equal(progress!.stages['dnabert-s'].batches, 23);
    assert.match((await cli('list')).stdout, new RegExp(`\n${id} +embedding +\\S+ +0/1 +${out}\n`));

    assert.equal((await cli('pause', id)).code, 0);
    await eventually(async () => (await status(id)).state === 'paused', 30_000);
    const [refused, bounds] = await Promise.all([cli('drain-lane', id, 'nix/cpu:0'), cli('set-max-lanes', id, '0')]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /refuses drain-lane: no lane nix\/cpu:0/);
    assert.equal(bounds.code, 2);
    const watching = startCli(['attach', id], stateDir);
    await eventually(() => watching.output().includes('dnabert-s: '), 30_000);
    watching.child.kill('SIGINT');
    const left = await watching.ended;
    assert.equal(left.code, 0, left.stderr);
    assert.match(left.stderr, /Left .* running/);

    const watchedToTheEnd = startCli(['attach', id], stateDir);
    await eventually(() => watchedToTheEnd.output().includes('dnabert-s: '), 30_000);

    assert.equal((await cli('set-max-lanes', id, '2')).code, 0);
    assert.equal((await cli('resume', id)).code, 0);
    const lanes = async (): Promise<string[]> =>
      Object.values((await status(id)).progress!.stages).flatMap((stage) =>
        stage.lanes.map((lane) => `${lane.host}/${lane.device} ${lane.state}`),
      );
    await eventually(async () => (await lanes()).includes(`${hostname()}/cpu:0 up`), 60_000);

    assert.equal((await cli('cancel', id)).code, 0);
    for (const { ended } of [run, watchedToTheEnd]) {
      const { code, stderr } = await ended;
      assert.equal(code, 1);
      assert.match(stderr, /the run was cancelled/);
    }
    assert.equal((await status(id)).state, 'cancelled');
    assert.match((await cli('pause', id)).stderr, /has ended already/);
    assert.deepEqual(processesOf(stateDir), []);

    const again = await cli(...args);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, new RegExp(`Started ${id}\n`));
    const { state, done, failed } = await status();
    assert.deepEqual({ state, done, failed }, { state: 'done', done: 1, failed: 0 });
    const ended = await cli('attach', id);
    assert.deepEqual([ended.code, ended.stdout], [0, again.stdout], 'attach says what predict did');
  }).timeout(300_000);

  it('that was left open is cancelled without a command that serves it', async () => {
    const run = startCli(['predict', `${lambda.dir}/input.fa`, '-o', path.join(dir, 'left'), ...tinyModels], stateDir);
    await eventually(() => run.output().includes('Started '), 60_000);
    run.child.kill('SIGKILL');
    await run.ended;
    await eventually(() => processesOf(stateDir).length === 0, 20_000);
    const [{ id }] = JSON.parse((await cli('list', '--json')).stdout) as [RunView];
    assert.equal((await status(id)).state, 'interrupted');
    assert.match((await cli('pause', id)).stderr, /no virnucpro command serves/);
    assert.match((await cli('attach', id)).stderr, /it stands still/);
    const cancelled = await cli('cancel', id);
    assert.equal(cancelled.code, 0, cancelled.stderr);
    assert.equal((await status(id)).state, 'cancelled');
    assert.deepEqual(processesOf(stateDir), []);
  }).timeout(120_000);
});
