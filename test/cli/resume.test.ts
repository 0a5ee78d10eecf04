import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { connectClient } from '../../src/cli/embedded-run.js';
import type { RunRecord } from '../../src/cli/run-record.js';
import { CONTROL_QUEUE, CPU_QUEUE } from '../../src/contract/queues.js';
import { joinSupervision } from '../../src/server/supervisor.js';
import { type CliCall, processesOf, startCli, tinyModels } from '../support/cli.js';
import { compareResults } from '../support/compare-results.js';
import { goldenCases } from '../support/golden.js';
import { eventually } from '../support/processes.js';
import '../support/sdk-log.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

const lambda = goldenCases.find(({ name }) => name === 'lambda-500')!;

describeWithTemporal('virnucpro predict, again', (temporalCli) => {
  let dir: string;
  let stateDir: string;
  let out: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-resume-'));
    stateDir = path.join(dir, 'state');
    out = path.join(dir, 'out');
    for (const name of ['a', 'b']) await copyFile(`${lambda.dir}/input.fa`, path.join(dir, `${name}.fa`));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const predict = (...more: string[]): CliCall => {
    const inputs = ['a', 'b'].map((name) => path.join(dir, `${name}.fa`));
    const options = ['--wave-bytes', '1kB', '--batch-sequences', '5', '--keep-embeddings', '--heartbeat', '3'];
    return startCli(['predict', ...inputs, '-o', out, ...options, ...more, ...tinyModels], stateDir);
  };

  const writtenAt = async (file: string): Promise<number> => (await stat(path.join(out, file))).mtimeMs;
  const isThere = (file: string): Promise<boolean> =>
    writtenAt(file).then(
      () => true,
      () => false,
    );
  const kill = async (call: CliCall): Promise<void> => {
    call.child.kill('SIGKILL');
    await call.ended;
    await eventually(() => processesOf(stateDir).length === 0, 20_000);
  };
  const assertGolden = async (): Promise<void> => {
    for (const name of ['a', 'b']) {
      for (const table of ['prediction_results.txt', 'prediction_results_highestscore.csv']) {
        await compareResults(path.join(out, name, `${name}_merged`, table), path.join(lambda.dir, table));
      }
    }
  };

  it('goes on after the command was killed; with the database lost, from finished artifacts', async () => {
    const first = predict();
    // By then the server knows of the first one.
    await eventually(() => isThere('a/embeddings/dnabert-s/batch-00004.arrow'), 90_000);
    await kill(first);
    const batch = await writtenAt('a/embeddings/dnabert-s/batch-00001.arrow');

    const second = predict();
    await eventually(() => isThere('b/embeddings/dnabert-s/batch-00001.arrow'), 90_000);
    await eventually(() => second.output().includes('Going on with virnucpro-campaign-'), 10_000);
    await kill(second);
    const [{ id, samples }] = JSON.parse((await startCli(['list', '--json'], stateDir).ended).stdout) as [
      { id: string; samples: number },
    ];
    assert.equal(samples, 2);
    assert.equal(await writtenAt('a/embeddings/dnabert-s/batch-00001.arrow'), batch);
    const open = await startCli(['status', id], stateDir).ended;
    assert.match(open.stdout, /: interrupted\n[^]*Samples {2}2: 1 done, 0 failed\n[^]*No virnucpro command serves it/);

    const finished = await writtenAt('a/.virnucpro/finished.json');
    const ofB = await writtenAt('b/embeddings/dnabert-s/batch-00001.arrow');
    await rm(stateDir, { recursive: true });
    const third = await predict().ended;
    assert.equal(third.code, 0, third.stderr);
    assert.match(third.stderr, new RegExp(`^Started ${id}$`, 'm'));
    assert.equal(await writtenAt('a/.virnucpro/finished.json'), finished);
    assert.equal(await writtenAt('b/embeddings/dnabert-s/batch-00001.arrow'), ofB);
    await assertGolden();
    assert.deepEqual(processesOf(stateDir), []);
  }).timeout(300_000);

  it('ends a run that this build cannot replay, and starts anew under its id', async () => {
    const file = path.join(out, '.virnucpro', 'run.json');
    const record = JSON.parse(await readFile(file, 'utf8')) as RunRecord;
    await writeFile(file, JSON.stringify({ ...record, state: 'running' }));
    await startOther(record.workflowId);

    const { code, stderr } = await predict().ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, new RegExp(`cannot go on with it: it starts anew[^]*Started ${record.workflowId}`));
    const done = await startCli(['status', '-o', out, '--json'], stateDir).ended;
    const { state, done: samples } = JSON.parse(done.stdout) as { state: string; done: number };
    assert.deepEqual({ state, samples }, { state: 'done', samples: 2 });
  }).timeout(120_000);

  it('starts over with --force', async () => {
    const finished = await writtenAt('a/.virnucpro/finished.json');
    const { code, stderr } = await predict('--force').ended;
    assert.equal(code, 0, stderr);
    assert.ok((await writtenAt('a/.virnucpro/finished.json')) > finished);
    await assertGolden();
  }).timeout(120_000);

  /** Leaves an open campaign of another build on the server. */
  async function startOther(workflowId: string): Promise<void> {
    const supervision = await joinSupervision({ stateDir, temporalCli, log: pino({ level: 'silent' }) });
    const { client, close } = await connectClient(supervision);
    const connection = await NativeConnection.connect({ address: supervision.address });
    try {
      const worker = await Worker.create({
        connection,
        taskQueue: CONTROL_QUEUE,
        workflowsPath: fileURLToPath(new URL('../support/other-campaign.js', import.meta.url)),
      });
      await worker.runUntil(async () => {
        const handle = await client.workflow.start('predictCampaign', {
          taskQueue: CONTROL_QUEUE,
          workflowId,
          args: [{ samples: { records: 2 }, options: { cpuQueue: CPU_QUEUE, heartbeatMs: 3000, lanes: 1 } }],
        });
        await eventually(async () => (await handle.describe()).historyLength >= 5, 30_000);
      });
    } finally {
      await connection.close();
      await close();
      await supervision.close();
    }
  }
});
