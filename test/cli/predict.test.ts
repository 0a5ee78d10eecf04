import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { provenanceSchema } from '../../src/io/provenance.js';
import { processesOf, startCli, tinyModels } from '../support/cli.js';
import { compareResults } from '../support/compare-results.js';
import { goldenCases, goldenModels } from '../support/golden.js';
import { eventually } from '../support/processes.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

const lambda = goldenCases.find(({ name }) => name === 'lambda-500')!;

describeWithTemporal('virnucpro predict', () => {
  let dir: string;
  let stateDir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-cli-'));
    stateDir = path.join(dir, 'state');
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const predict = (args: string[], stdin?: string): ReturnType<typeof startCli> =>
    startCli(['predict', ...args, ...tinyModels], stateDir, stdin);

  const assertGolden = async (merged: string): Promise<void> => {
    for (const table of ['prediction_results.txt', 'prediction_results_highestscore.csv']) {
      await compareResults(path.join(merged, table), path.join(lambda.dir, table));
    }
  };

  it('is cancelled by Ctrl-C, leaves no process and no lock, and the same command works again', async () => {
    const out = path.join(dir, 'interrupted');
    const args = [`${lambda.dir}/input.fa`, '-o', out, '--batch-sequences', '3', '--no-persistent-models'];
    const first = predict(args);
    await eventually(() => /dnabert-s: \d+\/15, 1 lane/.test(first.output()), 60_000);
    assert.ok(processesOf(stateDir).length >= 3, 'server, agent and lane run');
    first.child.kill('SIGINT');
    const interrupted = await first.ended;
    assert.equal(interrupted.code, 130, interrupted.stderr);
    assert.deepEqual(processesOf(stateDir), []);
    await assert.rejects(readFile(path.join(out, 'input_merged', 'prediction_results.txt')), { code: 'ENOENT' });

    const again = await predict(args).ended;
    assert.equal(again.code, 0, again.stderr);
    await assertGolden(path.join(out, 'input_merged'));
    assert.deepEqual(processesOf(stateDir), []);

    const third = await predict(args).ended;
    assert.equal(third.code, 0);
    assert.match(third.stderr, /already done/);
    const other = await predict([...args, '-e', '300']).ended;
    assert.equal(other.code, 2);
    assert.match(other.stderr, /expectedLength was 500 and is 300/);
  }).timeout(180_000);

  it('shares one server between two runs; the second goes on when the first ends', async () => {
    const runs = ['one', 'two'].map((name) => {
      const out = path.join(dir, name);
      const sizes = ['--dnabert-batch-size', '200', '--esm-batch-size', '300'];
      return {
        out,
        call: predict([`${lambda.dir}/input.fa`, '-o', out, '--keep-intermediate', '--keep-embeddings', ...sizes]),
      };
    });
    for (const { out, call } of runs) {
      const { code, stderr } = await call.ended;
      assert.equal(code, 0, stderr);
      await assertGolden(path.join(out, 'input_merged'));
      assert.deepEqual((await readdir(path.join(out, 'embeddings', 'esm-2'))).length, 1);
      const { lanes, options } = provenanceSchema.parse(
        JSON.parse(await readFile(path.join(out, 'provenance.json'), 'utf8')),
      );
      assert.deepEqual(
        lanes.map(({ stage, tokensPerCall }) => [stage, tokensPerCall]),
        [
          ['dnabert-s', 200],
          ['esm-2', 300],
        ],
      );
      for (const { peakBytes } of lanes) assert.ok(peakBytes! > 100e6 && peakBytes! < 2e9, `${peakBytes}`);
      assert.deepEqual([options['dnabert-batch-size'], options['esm-batch-size']], [200, 300]);
      for (const name of ['chunked500.fa', 'identified_nucleotide.fa', 'identified_protein.faa']) {
        const golden = path.join(lambda.dir, name.replace('chunked500', 'chunked'));
        assert.deepEqual(await readFile(path.join(out, `input_${name}`)), await readFile(golden), name);
      }
    }
    assert.deepEqual(processesOf(stateDir), []);
  }).timeout(180_000);

  it('reads standard input, compressed or not', async () => {
    const out = path.join(dir, 'stdin');
    const { code, stderr } = await predict(['-', '-o', out], await readFile(`${lambda.dir}/input.fa`, 'latin1')).ended;
    assert.equal(code, 0, stderr);
    await assertGolden(path.join(out, 'stdin_merged'));
  }).timeout(90_000);

  it('gives header-only tables for an input without records, and a row for every record without frames', async () => {
    for (const [name, fasta, rows] of [
      ['empty', '', []],
      ['frameless', '>no_bases\n>two\nAC\n>ns\nNNNNNN\n', ['no_bases', 'two', 'ns']],
    ] as const) {
      const input = path.join(dir, `${name}.fa.gz`);
      await writeFile(input, gzipSync(fasta));
      const out = path.join(dir, name);
      const { code, stderr } = await predict([input, '-o', out]).ended;
      assert.equal(code, 0, stderr);
      const results = await readFile(path.join(out, `${name}_merged`, 'prediction_results.txt'), 'utf8');
      assert.equal(results, 'Sequence_ID\tPrediction\tscore1\tscore2\n');
      const [, ...accounting] = (await readFile(path.join(out, 'accounting.tsv'), 'utf8')).trimEnd().split('\n');
      assert.deepEqual(
        accounting.map((row) => row.split('\t')[0]),
        rows,
      );
      assert.ok(!stderr.includes('loading the model'), 'no model is loaded for nothing');
    }
  }).timeout(120_000);

  it('says what is wrong with an input before any model is loaded', async () => {
    const input = path.join(dir, 'twice.fa');
    await writeFile(input, '>a\nACGT\n>a\nACGT\n');
    const { code, stderr } = await predict([input, '-o', path.join(dir, 'bad')]).ended;
    assert.equal(code, 1);
    assert.match(stderr, /twice\.fa.*line 3/);
    assert.ok(!stderr.includes('loading the model'));
  }).timeout(60_000);

  it('names both sides when the models do not fit, and exits 2 for wrong usage', async () => {
    const swapped = ['--dna-model', goldenModels.proteinModel, '--protein-model', goldenModels.dnaModel];
    const args = [`${lambda.dir}/input.fa`, '-o', path.join(dir, 'swapped'), '-p', goldenModels.classifier, ...swapped];
    const { code, stderr } = await startCli(['predict', ...args], stateDir).ended;
    assert.equal(code, 1);
    assert.match(stderr, /of kind esm2, --dna-model takes dnabert2/);
    for (const usage of [['--lanes', '0'], ['-e', 'long'], ['--no-such-flag']]) {
      const wrong = await predict([`${lambda.dir}/input.fa`, ...usage]).ended;
      assert.equal(wrong.code, 2, wrong.stderr);
    }
    const missing = await predict([path.join(dir, 'nowhere.fa'), '-o', path.join(dir, 'missing')]).ended;
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /no such file/);
  }).timeout(60_000);
});
