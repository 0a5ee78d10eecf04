import assert from 'node:assert/strict';
import { access, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { ownCores } from '../../src/workers/cpu-affinity.js';
import { processesOf, startCli, tinyModels } from '../support/cli.js';
import { compareResults, ORIGINAL_TABLES } from '../support/compare-results.js';
import { fakeCudaHost } from '../support/fake-cuda-host.js';
import { goldenCases } from '../support/golden.js';
import { cpusOf, titleOf } from '../support/processes.js';
import { describeWithTemporal } from '../support/temporal-cli.js';
import { temporaryFolder } from '../support/tiny-models.js';

/** How far scores may be off in fp16; labels must be the same. */
const FP16_SCORES = 1e-2;

const lambda = goldenCases.find(({ name }) => name === 'lambda-500')!;

describe('virnucpro devices', () => {
  let dir: string;
  before(async () => (dir = await temporaryFolder()));
  after(() => rm(dir, { recursive: true, force: true }));

  const virnucpro = (args: string[], env: NodeJS.ProcessEnv): ReturnType<typeof startCli>['ended'] =>
    startCli(args, path.join(dir, 'state'), undefined, env).ended;

  it('lists the CPU, and what is missing with the reason; utils list-devices is the same', async () => {
    const env = { CUDA_VISIBLE_DEVICES: '', VK_ICD_FILENAMES: path.join(dir, 'none.json') };
    const { code, stdout, stderr } = await virnucpro(['utils', 'list-devices'], env);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      stdout,
      new RegExp(
        '^DEVICE +NAME +MEMORY +PRECISIONS +PROVIDER\n' +
          'cpu +.+, \\d+ threads +[\\d.]+ GB +fp32, int8 +onnxruntime [\\d.]+ cpu\n' +
          'cuda +- +- +- +missing: CUDA_VISIBLE_DEVICES is empty\n' +
          'webgpu:0 +- +- +- +missing: (no graphics driver|there is no Vulkan loader|this build).+\n' +
          'docs/devices.md says what each needs\\.\n$',
      ),
    );
  });

  it('tries each device: one that computes wrongly is not offered', async () => {
    const env = await fakeCudaHost(dir, { devices: 2, wrong: [1] });
    const { stdout } = await virnucpro(['devices', '--json'], env);
    const [, right, wrong] = JSON.parse(stdout) as Record<string, unknown>[];
    const memoryBytes = 24 * 2 ** 30;
    const provider = /^onnxruntime [\d.]+ cuda$/.exec(String(right!['provider']))?.[0];
    assert.deepEqual(right, {
      model: 'Test GPU 0',
      memoryBytes,
      name: 'cuda:0',
      precisions: ['fp32', 'fp16'],
      provider,
    });
    const { missing, ...rest } = wrong!;
    assert.deepEqual(rest, { model: 'Test GPU 1', memoryBytes, name: 'cuda:1', precisions: [] });
    assert.match(String(missing), /^it computes other vectors than the CPU: off by [\d.]+, allowed is 0\.001$/);
  });

  it('a run stops when a device that it names is absent, before anything starts; a word that names none is wrong usage', async () => {
    const env = await fakeCudaHost(dir, { devices: 2, wrong: [1] });
    for (const [device, code, error] of [
      [
        'cuda:7',
        1,
        /^error: there is no cuda:7; this host has cuda:0, cuda:1\nvirnucpro devices lists what there is, /,
      ],
      ['gpu', 2, /^error: --device is "gpu", allowed are auto, cpu, cuda, cuda:N, N, webgpu:N\n/],
    ] as const) {
      const out = path.join(dir, 'absent');
      const ended = await virnucpro(['predict', `${lambda.dir}/input.fa`, '-o', out, '-d', device, ...tinyModels], env);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, error);
    }
  });

  it('a worker that lacks a device ends with its error', async () => {
    const { code, stderr } = await virnucpro(['worker', '--devices', 'cpu,webgpu:7'], {});
    assert.equal(code, 1);
    assert.match(stderr, /^error: webgpu:7 cannot be used: onnxruntime gives a process one WebGPU device, webgpu:0/);
  });

  it('--cpu-bind without a taskset ends before anything starts', async () => {
    const out = path.join(dir, 'unbound');
    const args = ['predict', `${lambda.dir}/input.fa`, '-o', out, '-d', 'cpu', '--cpu-bind', ...tinyModels];
    const { code, stderr } = await virnucpro(args, { PATH: '/nonexistent' });
    assert.equal(code, 1);
    assert.match(stderr, /^error: lanes cannot be bound to CPUs here: .*taskset.*\nLeave --cpu-bind out, or install /m);
    await assert.rejects(access(out), { code: 'ENOENT' });
  });

  describeWithTemporal('with lanes', () => {
    it('--cpu-bind has each CPU lane on CPUs of its own, and gives the golden calls', async () => {
      const state = path.join(dir, 'bound-state');
      const out = path.join(dir, 'bound');
      const args = [`${lambda.dir}/input.fa`, '-o', out, '-d', 'cpu', '--cpu-bind', '--batch-sequences', '2'];
      const call = startCli(['predict', ...args, '--lanes', '2', '-t', '2', ...tinyModels], state);
      const lanes = new Map<string, number[]>();
      const look = setInterval(() => {
        for (const pid of processesOf(state)) {
          const [, lane] = /(cpu:\d)/.exec(titleOf(pid)) ?? [];
          if (lane !== undefined) lanes.set(lane, cpusOf(pid));
        }
      }, 200);
      const { code, stderr } = await call.ended.finally(() => clearInterval(look));
      assert.equal(code, 0, stderr);
      const [first, second = first] = (await ownCores()).flat();
      assert.deepEqual(Object.fromEntries(lanes), { 'cpu:0': [first], 'cpu:1': [second] });
      for (const table of ORIGINAL_TABLES) {
        await compareResults(path.join(out, 'input_merged', table), path.join(lambda.dir, table));
      }
    }).timeout(120_000);

    it('--gpus 1,2 runs on devices 1 and 2, one lane each, in fp16, says so, and gives the golden calls', async () => {
      const env = await fakeCudaHost(dir, { devices: 3 });
      const out = path.join(dir, 'out');
      const args = [`${lambda.dir}/input.fa`, '-o', out, '--gpus', '1,2', '--batch-sequences', '20', ...tinyModels];
      const { code, stderr } = await virnucpro(['predict', ...args], env);
      assert.equal(code, 0, stderr);
      for (const table of ORIGINAL_TABLES) {
        await compareResults(path.join(out, 'input_merged', table), path.join(lambda.dir, table), FP16_SCORES);
      }
      assert.match(stderr, /^Precision: fp16, the default on a GPU; --precision gives another$/m);
      const { lanes, options } = JSON.parse(await readFile(path.join(out, 'provenance.json'), 'utf8')) as {
        lanes: { stage: string; device: string }[];
        options: Record<string, unknown>;
      };
      assert.deepEqual(
        ['lanes', 'dnabert-precision', 'esm-precision'].map((name) => options[name]),
        [2, 'fp16', 'fp16'],
      );
      assert.deepEqual([...new Set(lanes.map(({ stage }) => stage))], ['dnabert-s', 'esm-2']);
      assert.ok(lanes.every(({ device }) => ['cuda:1', 'cuda:2'].includes(device)));
    }).timeout(120_000);
  });
});
