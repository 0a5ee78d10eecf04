import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { RunView } from '../../src/cli/runs.js';
import type { Provenance } from '../../src/io/provenance.js';
import { type CliCall, startCli } from '../support/cli.js';
import { writeContigs } from '../support/contigs.js';
import { describeWithEngine } from '../support/docker/engine.js';
import { BUILD_MS, buildImages } from '../support/docker/images.js';
import { MODELS_FOLDER } from '../support/docker/node.js';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { assertSameTables, readTables } from '../support/faults/result-tables.js';
import { OwnServer } from '../support/own-server.js';
import { eventually } from '../support/processes.js';
import { S3Server, S3_KEYS } from '../support/s3-server.js';
import { temporalCli } from '../support/temporal-cli.js';

const exec = promisify(execFile);

/** Enough for some half a minute on three lanes of one thread. */
const FRAMES = 2_500;

const MODELS = [
  ...['--dna-model', `${MODELS_FOLDER}/dnabert2-tiny`, '--protein-model', `${MODELS_FOLDER}/esm2-tiny`],
  ...['-p', `${MODELS_FOLDER}/classifier-tiny/tiny.safetensors`, '-e', '500'],
];

describeWithEngine('an administrator who follows docs/containers.md, "Plain hosts"', () => {
  let dir: string;
  let server: OwnServer;
  let store: S3Server;
  let command: string;
  const started: string[] = [];

  before(async function () {
    this.timeout(BUILD_MS);
    const { cpu } = await buildImages();
    await exec('docker', ['tag', cpu, 'virnucpro:cpu']);
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-guide-'));
    server = await OwnServer.start(temporalCli!);
    store = await S3Server.start(path.join(dir, 's3'));
    command = await commandInGuide();
  });
  after(async () => {
    const volumes = started.map(scratchOf);
    if (started.length > 0) await exec('docker', ['rm', '--force', ...started.map(containerOf)]);
    if (started.length > 0) await exec('docker', ['volume', 'rm', '--force', ...volumes]);
    await store?.kill();
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('has three workers in three containers, one of which is destroyed: its successor resumes the run', async () => {
    const input = await writeContigs(path.join(dir, 'input.fa'), FRAMES, { from: 150, to: 166 });
    for (const host of ['host-1', 'host-2', 'host-3']) await startWorker(host);

    const whole = await predict(input, 'whole').ended;
    assert.equal(whole.code, 0, whole.stderr);

    const run = predict(input, 'resumed');
    await eventually(() => /dnabert-s: [1-9]/.test(run.output()), 2 * PATIENCE_MS);
    await eventually(async () => (await lanes('resumed')).includes('host-2/cpu:0'), PATIENCE_MS);
    await exec('docker', ['rm', '--force', containerOf('host-2')]);
    await startWorker('host-4');
    const { code, stderr } = await run.ended;
    assert.equal(code, 0, stderr);
    const made = JSON.parse(await readFile(path.join(dir, 'resumed', 'provenance.json'), 'utf8')) as Provenance;
    const hosts = new Set(made.lanes.map(({ host }) => host));
    assert.deepEqual([...hosts].sort(), ['host-1', 'host-2', 'host-3', 'host-4']);
    await assertSameTables(path.join(dir, 'resumed'), await readTables(path.join(dir, 'whole')));
  }).timeout(10 * PATIENCE_MS);

  /** The guide's commands on one host, with this test's addresses, and what keeps hosts on one machine apart. */
  async function startWorker(host: string): Promise<void> {
    const here: [string, string][] = [
      ['temporal.example.org:7233', server.address],
      ['https://s3.example.org', store.endpoint],
      ['AWS_ACCESS_KEY_ID=...', `AWS_ACCESS_KEY_ID=${S3_KEYS.AWS_ACCESS_KEY_ID}`],
      ['AWS_SECRET_ACCESS_KEY=...', `AWS_SECRET_ACCESS_KEY=${S3_KEYS.AWS_SECRET_ACCESS_KEY}`],
      ['--name virnucpro', `--network host --name ${containerOf(host)}`],
      ['"$(hostname)"', host],
      ['/data/models', path.resolve('test/fixtures/golden/models')],
      ['virnucpro-scratch', scratchOf(host)],
      ['--cpu-lanes 2 --threads 32', '--cpu-lanes 1 --threads 1'],
    ];
    const script = here.reduce((text, [theirs, ours]) => {
      assert.ok(text.includes(theirs), `the guide has ${theirs}`);
      return text.replace(theirs, ours);
    }, command);
    started.push(host);
    await exec('sh', ['-c', script], { cwd: dir });
  }

  function predict(input: string, name: string): CliCall {
    const places = ['-o', path.join(dir, name), '--store', `s3://runs/${name}`];
    const options = ['-d', 'cpu', '--lanes', '3', '--batch-sequences', '100', '--heartbeat', '5'];
    return cli('predict', input, '--service', ...places, ...options, ...MODELS);
  }

  /** Names of the lanes that serve a run now. */
  async function lanes(name: string): Promise<string[]> {
    const { stdout } = await cli('status', path.join(dir, name), '--json').ended;
    const { progress } = JSON.parse(stdout) as RunView;
    return Object.values(progress!.stages).flatMap((stage) => stage.lanes.map((lane) => `${lane.host}/${lane.device}`));
  }

  function cli(...args: string[]): CliCall {
    const env = { ...store.env, TEMPORAL_ADDRESS: server.address, VIRNUCPRO_SCRATCH: path.join(dir, 'scratch') };
    return startCli(args, path.join(dir, 'state'), '', env);
  }
});

const containerOf = (host: string): string => `virnucpro-${host}`;
const scratchOf = (host: string): string => `virnucpro-scratch-${host}`;

/** The first block of commands below "Plain hosts". */
async function commandInGuide(): Promise<string> {
  const guide = await readFile('docs/containers.md', 'utf8');
  return /^## Plain hosts\n[^]*?\n```sh.*\n([^]*?)\n```/m.exec(guide)![1]!;
}
