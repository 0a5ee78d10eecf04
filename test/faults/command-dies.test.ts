import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunView } from '../../src/cli/runs.js';
import { type CliCall, processesOf, startCli, tinyModels } from '../support/cli.js';
import { PATIENCE_MS, hostEnvironment } from '../support/faults/fault-bench.js';
import { faultInput } from '../support/faults/input.js';
import { setBehaviour } from '../support/faults/lane-behaviour.js';
import { assertSameTables, readTables } from '../support/faults/result-tables.js';
import { eventually } from '../support/processes.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

describeWithTemporal('the command dies', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-faults-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  it('SIGKILL of the CLI ends server, agent and lanes; the same command goes on with the same run', async () => {
    const stateDir = path.join(dir, 'state');
    const behaviour = path.join(dir, 'behaviour.json');
    const input = await faultInput(dir);
    const predict = (out: string): CliCall => {
      const flags = [
        '--batch-sequences',
        '3',
        '--lanes',
        '2',
        '--threads',
        '2',
        '--heartbeat',
        '3',
        '--keep-warm',
        '0',
      ];
      const args = ['predict', input, '-o', path.join(dir, out), ...flags, '--keep-embeddings', ...tinyModels];
      return startCli(args, stateDir, '', hostEnvironment(behaviour));
    };
    await setBehaviour(behaviour, {});
    const undisturbed = await predict('undisturbed').ended;
    assert.equal(undisturbed.code, 0, undisturbed.stderr);

    await setBehaviour(behaviour, { callMs: 500 });
    const killed = predict('killed');
    const embeddings = path.join(dir, 'killed', 'embeddings', 'dnabert-s');
    const finished = async (): Promise<string[]> => {
      const names = await readdir(embeddings).catch(() => []);
      return names.filter((name) => !name.includes('.tmp'));
    };
    await eventually(async () => (await finished()).length >= 5, PATIENCE_MS);
    killed.child.kill('SIGKILL');
    await killed.ended;
    await eventually(() => processesOf(stateDir).length === 0, 15_000);
    const before = await Promise.all((await finished()).map((name) => stat(path.join(embeddings, name))));

    await setBehaviour(behaviour, {});
    const again = await predict('killed').ended;
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /Going on with virnucpro-/);
    const after = await Promise.all((await readdir(embeddings)).map((name) => stat(path.join(embeddings, name))));
    const kept = after.filter(({ mtimeMs }) => before.some((file) => file.mtimeMs === mtimeMs));
    // Each lane may have published one whose end the server had not heard of yet.
    assert.ok(before.length - kept.length <= 2, `${kept.length} of ${before.length} finished batches are kept`);
    await assertSameTables(path.join(dir, 'killed'), await readTables(path.join(dir, 'undisturbed')));
    assert.deepEqual(processesOf(stateDir), []);
  });

  it('Ctrl-C twice leaves the run ending: the same command starts it anew, once it has ended', async () => {
    const stateDir = path.join(dir, 'state-twice');
    const args = ['predict', await faultInput(dir), '-o', path.join(dir, 'twice'), ...tinyModels];
    const behaviour = path.join(dir, 'slow.json');
    await setBehaviour(behaviour, { callMs: 3000 });
    const run = startCli(args, stateDir, '', hostEnvironment(behaviour));
    await eventually(() => run.output().includes('1 lane'), 60_000);
    run.child.kill('SIGINT');
    await eventually(() => run.output().includes('giving its lanes back'), 10_000);
    await sleep(300);
    run.child.kill('SIGINT');
    assert.equal((await run.ended).code, 130);
    await eventually(() => processesOf(stateDir).length === 0, 20_000);
    const [{ id, open }] = JSON.parse((await startCli(['list', '--json'], stateDir).ended).stdout) as [RunView];
    assert.equal(open, true);

    const again = await startCli(args, stateDir).ended;
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, new RegExp(`Waiting for the end of ${id}, .*\n(.*\n)*Started ${id}\n`));
  }).timeout(180_000);
});
