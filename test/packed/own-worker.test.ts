import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import type { EmbedStageResult, SampleCounts } from '../../src/contract/run.js';
import { STAGES, type Stage } from '../../src/contract/stages.js';
import type { Provenance } from '../../src/io/provenance.js';
import { type Supervision, joinSupervision } from '../../src/server/supervisor.js';
import { contigOfChunk } from '../../src/sequence/ids.js';
import { compareResults, readTable } from '../support/compare-results.js';
import { GOLDEN_CASES, goldenModels } from '../support/golden.js';
import { childrenOf, eventually } from '../support/processes.js';
import { writeSmallEsm2 } from '../support/small-esm2.js';
import { describeWithTemporal } from '../support/temporal-cli.js';
import { writeSafetensors } from '../support/tiny-models.js';

const exec = promisify(execFile);

/** Installing 570 MB of dependencies took 35 s here; over a slow network it takes minutes. */
const SETUP_MS = 600_000;

/** Takes 8 s on an idle machine. */
const SCREEN_MS = 120_000;

const GOLDEN = path.join(GOLDEN_CASES, 'mixed-300');
const PREDICTIONS = 'prediction_results.txt';
const CONSENSUS = 'prediction_results_highestscore.csv';

/** What the example's workflow returns. */
interface Screened {
  filtered: { kept: number; dropped: number };
  counts: SampleCounts;
  stages: Record<Stage, EmbedStageResult>;
  viralContigs: string[];
  report: string;
}

/** Features of the tiny DNABERT and of another ESM-2. */
const [DNA_FEATURES, OTHER_PROTEIN_FEATURES] = [96, 320];

describeWithTemporal("the packed library in another project's worker", (temporalCli) => {
  let dir: string;
  let project: string;
  let server: Supervision;
  let worker: ChildProcess;
  let said = '';
  let workerEnded: AbortController;

  before(async function () {
    this.timeout(SETUP_MS);
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-own-worker-'));
    project = path.join(dir, 'project');
    await cp('examples/own-worker', project, { recursive: true });
    await install(await pack(dir), project);
    server = await joinSupervision({
      stateDir: path.join(dir, 'state'),
      temporalCli,
      log: pino({ level: 'silent' }),
    });
    startWorker('worker.js');
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(said);
  });

  after(async () => {
    if (worker?.exitCode === null) worker.kill('SIGKILL');
    await server?.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('is code, documentation, reference vectors and the example models: no tests', async () => {
    const root = path.join(project, 'node_modules', 'virnucpro-temporal');
    const folders = ['assets', 'dist', 'docs', 'examples', 'node_modules'];
    const entries = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', ...folders];
    const extra = (await readdir(root)).filter((entry) => !entries.includes(entry));
    assert.deepEqual(extra, []);
    assert.deepEqual(await readdir(path.join(root, 'dist')), ['src']);
    assert.deepEqual(await readdir(path.join(root, 'assets')), ['reference-vectors.json']);
    // npm packs a README wherever it finds one on its way.
    assert.deepEqual((await readdir(path.join(root, 'examples'))).sort(), ['README.md', 'models']);
  });

  it("gives a golden case's calls, between the host's own steps, on lanes of the host's machine", async function () {
    this.timeout(SCREEN_MS);
    const output = path.join(dir, 'screened');
    const { filtered, counts, stages, viralContigs, report } = await screen(output);

    for (const table of [PREDICTIONS, CONSENSUS]) {
      await compareResults(path.join(output, 'long_merged', table), path.join(GOLDEN, table));
    }
    const frames = (await readTable(path.join(GOLDEN, PREDICTIONS))).rows.length;
    const windows = (await readTable(path.join(GOLDEN, CONSENSUS))).rows;
    const viral = windows.filter(([, isVirus]) => isVirus === 'True').map(([id]) => contigOfChunk(id!));
    assert.deepEqual(filtered, { kept: 2, dropped: 0 });
    assert.deepEqual(viralContigs, [...new Set(viral)]);
    assert.equal(counts.framesCalled, frames);
    assert.equal(report, path.join(output, 'report.html'));
    assert.match(await readFile(report, 'utf8'), /<h1>long<\/h1>/);
    // Two lanes, one batch: the second stage takes the device that has no warm model yet.
    for (const [i, stage] of STAGES.entries()) {
      const { lanes, modelLoads, ...rest } = stages[stage];
      assert.deepEqual([rest.embedded, rest.reused, rest.frames], [1, 0, frames], stage);
      assert.deepEqual([modelLoads, lanes.map(({ lane }) => lane)], [1, [`${hostname()}/cpu:${i}`]], stage);
    }
  });

  it('leaves no lane behind when the worker ends', async function () {
    this.timeout(30_000);
    const lanes = childrenOf(worker.pid!).filter(({ command }) => command.startsWith('virnucpro-lane'));
    assert.deepEqual(
      lanes.map(({ command }) => command),
      ['virnucpro-lane dnabert-s cpu:0', 'virnucpro-lane esm-2 cpu:1'],
    );
    worker.kill('SIGTERM');
    assert.deepEqual(await once(worker, 'exit'), [0, null]);
    await eventually(() => lanes.every(({ pid }) => !isAlive(pid)), 2_000);
  });

  it("calls each step by its name, bundling none, with the host's own classifier and another ESM-2", async function () {
    this.timeout(SCREEN_MS);
    const proteinModel = await writeSmallEsm2(path.join(dir, 'other-esm2'));
    const classifier = path.join(dir, 'own-classifier.safetensors');
    await writeOwnClassifier(classifier);
    startWorker('worker-by-name.js');
    const output = path.join(dir, 'by-name');
    const byName = ['--workflow', 'screenByName', '--task-queue', 'by-name'];
    const { counts, stages, report } = await screen(output, { proteinModel, classifier }, byName);
    worker.kill('SIGTERM');
    assert.deepEqual(await once(worker, 'exit'), [0, null]);

    const { rows } = await readTable(path.join(output, 'contigs_merged', PREDICTIONS));
    const golden = (await readTable(path.join(GOLDEN, PREDICTIONS))).rows;
    assert.deepEqual(
      rows.map(([id, call, others, virus]) => [id, call, Number(others).toFixed(6), Number(virus).toFixed(6)]),
      golden.map(([id]) => [id, 'virus', '0.250000', '0.750000']),
    );
    assert.deepEqual([counts.framesCalled, counts.framesViral], [golden.length, golden.length]);
    assert.deepEqual(
      STAGES.map((stage) => stages[stage].frames),
      [golden.length, golden.length],
    );
    const { models } = JSON.parse(await readFile(path.join(output, 'provenance.json'), 'utf8')) as Provenance;
    assert.deepEqual(
      models.map(({ role, path: place, dims }) => [role, place, dims['hidden'] ?? dims['inputSize']]),
      [
        ['dnabert-s', goldenModels.dnaModel, DNA_FEATURES],
        ['esm-2', proteinModel, OTHER_PROTEIN_FEATURES],
        ['classifier', classifier, DNA_FEATURES + OTHER_PROTEIN_FEATURES],
      ],
    );
    assert.equal(report, path.join(output, 'report.html'));
  });

  function startWorker(program: string): void {
    const ended = new AbortController();
    workerEnded = ended;
    worker = spawn(process.execPath, [program], { cwd: project, env: environment() });
    worker.once('exit', () => ended.abort(new Error('the worker ended')));
    worker.stderr!.on('data', (text: Buffer) => (said += text.toString()));
  }

  /** The example's client, as its README has it. */
  async function screen(
    output: string,
    other: Partial<typeof goldenModels> = {},
    more: string[] = [],
  ): Promise<Screened> {
    const { dnaModel, proteinModel, classifier } = { ...goldenModels, ...other };
    const { stdout } = await exec(
      process.execPath,
      [
        ...['client.js', path.resolve(GOLDEN, 'input.fa'), '--output', output, '--min-length', '0'],
        ...['--chunk-size', '300', '--dna-model', dnaModel, '--protein-model', proteinModel],
        ...['--classifier', classifier, ...more],
      ],
      { cwd: project, env: environment(), signal: workerEnded.signal, timeout: SCREEN_MS },
    );
    return JSON.parse(stdout) as Screened;
  }

  function environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      TEMPORAL_ADDRESS: server.address,
      VIRNUCPRO_CACHE_DIR: path.join(dir, 'cache'),
      VIRNUCPRO_LOG_LEVEL: 'error',
    };
  }
});

/** A classifier that finds everything three times as likely to be viral as not. */
async function writeOwnClassifier(file: string): Promise<void> {
  const hidden = 2;
  const inputSize = DNA_FEATURES + OTHER_PROTEIN_FEATURES;
  const filled = (shape: number[], value: number): { shape: number[]; values: Float32Array } => ({
    shape,
    values: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value),
  });
  await writeSafetensors(
    file,
    new Map([
      ['hidden_layer.weight', filled([hidden, inputSize], 0)],
      ['hidden_layer.bias', filled([hidden], 0)],
      ...['weight', 'bias', 'running_mean', 'running_var'].map(
        (name) => [`bn1.${name}`, filled([hidden], name === 'running_var' ? 1 : 0)] as const,
      ),
      ['output_layer.weight', filled([2, hidden], 0)],
      ['output_layer.bias', { shape: [2], values: Float32Array.of(0, Math.log(3)) }],
    ]),
  );
}

/** The tarball that `npm publish` would send. */
async function pack(folder: string): Promise<string> {
  const { stdout } = await exec('npm', ['pack', '--json', '--pack-destination', folder]);
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  return path.join(folder, packed.filename);
}

/** CPU only: the CUDA libraries of onnxruntime are not downloaded. */
async function install(tarball: string, project: string): Promise<void> {
  await exec('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], {
    cwd: project,
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
