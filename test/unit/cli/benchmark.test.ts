import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { assertComparable, compareReports, comparisonMarkdown } from '../../../src/cli/benchmark/compare.js';
import { type BenchmarkReport, readReport, reportMarkdown } from '../../../src/cli/benchmark/report.js';
import { OptionError } from '../../../src/contract/failures.js';
import { callCli, startCli } from '../../support/cli.js';
import { describeWithTemporal } from '../../support/temporal-cli.js';
import { temporaryFolder } from '../../support/tiny-models.js';

const report = (changes: Partial<BenchmarkReport> = {}): BenchmarkReport => ({
  tool: 'virnucpro-temporal',
  created: '2026-11-22T10:11:12.000Z',
  machine: { cpu: 'Abacus', cores: 2, memoryGB: 24, kernel: '6.1' },
  versions: { node: '20.20.0' },
  dataSize: 'tiny',
  threads: 2,
  models: { dna: 'a', protein: 'b', classifier: 'c' },
  load: [0.5, 1.25],
  results: [
    { suite: 'encoders', name: 'esm2', unit: 'tokens/s', better: 'higher', runs: [90, 100, 1200] },
    { suite: 'predict', name: 'whole command', unit: 's', better: 'lower', runs: [10] },
  ],
  ...changes,
});

const withRuns = (speed: number, seconds: number): BenchmarkReport => {
  const [first, second] = report().results;
  return report({
    results: [
      { ...first!, runs: [speed] },
      { ...second!, runs: [seconds] },
    ],
  });
};

describe('cli/benchmark', () => {
  it('compares medians; worse is slower of speeds and more of times', () => {
    const { changes, regressions, notes } = compareReports(report(), withRuns(80, 9), 20);
    assert.deepEqual(
      changes.map(({ name, before, now, worsePercent }) => [name, before, now, Math.round(worsePercent)]),
      [
        ['encoders: esm2', 100, 80, 25],
        ['predict: whole command', 10, 9, -10],
      ],
    );
    assert.deepEqual(
      regressions.map(({ name }) => name),
      ['encoders: esm2'],
    );
    assert.deepEqual(notes, []);
    assert.deepEqual(compareReports(report(), withRuns(80, 12.5), 25).regressions, []);
  });

  it('names what the earlier report has and this one lacks, or has no number for', async () => {
    const [first, second] = report().results;
    const lacking = { ...report(), results: [{ ...first!, name: 'dnabert2' }, second!] };
    assert.deepEqual(compareReports(report(), lacking, 10).notes, ['no figure now for encoders: esm2']);
    const otherSuite = { ...report(), results: [second!] };
    assert.deepEqual(compareReports(report(), otherSuite, 10).notes, [], 'what was not measured is not missing');
    const third = { ...second!, name: 'lane, peak memory' };
    const before = { ...report(), results: [first!, second!, third] };
    const broken = { ...report(), results: [{ ...first!, runs: [100, NaN, 100] }, second!] };
    const { changes, regressions, notes } = compareReports(before, broken, 10);
    assert.deepEqual(notes, ['no figure now for encoders: esm2; predict: lane, peak memory']);
    assert.deepEqual([changes.map(({ name }) => name), regressions], [['predict: whole command'], []]);
    // Such a report can be the earlier one of the next.
    const file = path.join(await temporaryFolder(), 'broken.json');
    await writeFile(file, JSON.stringify(broken));
    const read = await readReport(file);
    assert.deepEqual(read, broken);
    assert.deepEqual(compareReports(read, report(), 10).changes, changes);
  });

  it('refuses what was measured with other data, threads or models, and says when the machine was another', () => {
    for (const other of [{ dataSize: 'small' }, { threads: 4 }, { models: { dna: 'x' } }] as const) {
      const before = report(other as Partial<BenchmarkReport>);
      assert.throws(() => assertComparable(before, report(), ['predict']), OptionError);
    }
    assert.throws(() => assertComparable(report(), report(), ['front-end', 'pool']), /no figure of these suites/);
    assert.doesNotThrow(() => assertComparable(report(), report(), ['front-end', 'predict']));
    assert.throws(() => compareReports(report({ results: [] }), report(), 10), OptionError);
    const machine = { ...report().machine, cpu: 'Curta' };
    const { notes } = compareReports(report({ machine }), report(), 10);
    assert.deepEqual(notes, ['the earlier report is of another machine: Curta, 2 cores']);
  });

  it('writes both as Markdown', () => {
    assert.match(reportMarkdown(report()), /^\| encoders \| esm2 \| 100 \| tokens\/s \| 90 100 1200 \|$/m);
    const text = comparisonMarkdown(compareReports(report(), withRuns(50, 10), 10));
    assert.match(text, /^\| encoders: esm2 \| 100 \| 50 \| tokens\/s \| 100.0 % worse \| regression \|$/m);
    assert.match(text, /^\| predict: whole command \| 10 \| 10 \| s \| 0.0 % better \| {2}\|$/m);
  });

  it('ends with 0, 1 for a regression beyond what is allowed, or 2 when it cannot run', async () => {
    const dir = await temporaryFolder();
    const run = (...args: string[]): ReturnType<typeof callCli> =>
      callCli(['benchmark', '--suite', 'encoders', '--quick', '-t', '1', '-o', dir, ...args]);
    assert.equal(run().code, 0);
    const [json] = (await readdir(dir)).filter((name) => name.endsWith('.json'));
    const measured = JSON.parse(await readFile(path.join(dir, json!), 'utf8')) as BenchmarkReport;
    assert.deepEqual(
      measured.results.map(({ suite, name, unit, runs }) => [suite, name, unit, runs.length]),
      [
        ['encoders', 'dnabert2-tiny, load', 's', 1],
        ['encoders', 'dnabert2-tiny', 'tokens/s', 1],
        ['encoders', 'esm2-tiny, load', 's', 1],
        ['encoders', 'esm2-tiny', 'tokens/s', 1],
      ],
    );
    /** The report as if the machine had then been `factor` times as fast. */
    const doctored = async (factor: number): Promise<string> => {
      const file = path.join(dir, `times-${factor}.json`);
      const results = measured.results.map((result) => ({
        ...result,
        runs: result.runs.map((value) => (result.better === 'higher' ? value * factor : value / factor)),
      }));
      await writeFile(file, JSON.stringify({ ...measured, results }));
      return file;
    };
    const slower = run('--compare-to', await doctored(1000), '--json');
    assert.equal(slower.code, 1);
    const { comparison } = JSON.parse(slower.stdout) as { comparison: { regressions: unknown[] } };
    assert.equal(comparison.regressions.length, 4);
    assert.ok((await readdir(dir)).some((name) => name.startsWith('comparison_')));
    assert.equal(run('--compare-to', await doctored(0.001)).code, 0);
    const broken = path.join(dir, 'broken.json');
    await writeFile(broken, '{}');
    assert.equal(run('--compare-to', broken).code, 2);
    const files = (await readdir(dir)).length;
    const other = run('--compare-to', await doctored(1), '-t', '2');
    assert.deepEqual([other.code, /encoders \.\.\./.test(other.stderr)], [2, false], 'refused before it measures');
    assert.match(other.stderr, /other threads: 1, not 2/);
    assert.equal((await readdir(dir)).length, files + 1, 'the doctored one');
    assert.equal(run('--fail-above', 'much').code, 2);
    assert.equal(run('--dna-model', path.join(dir, 'none')).code, 2);
  });
});

describe('benchmark --suite precision', () => {
  it('has the speed of both encoders in fp32 and int8, and how far int8 is off; a loss of either is a regression', async () => {
    const dir = await temporaryFolder();
    const env = { VIRNUCPRO_CACHE_DIR: path.join(dir, 'cache') };
    const args = ['benchmark', '--suite', 'precision', '--quick', '-t', '1', '-o', dir, '--json'];
    const { code, stdout, stderr } = callCli(args, process.cwd(), env);
    assert.equal(code, 0, stderr);
    const measured = JSON.parse(stdout) as BenchmarkReport;
    const of = (name: string): number => measured.results.find((result) => result.name === name)!.runs[0]!;
    for (const model of ['dnabert2-tiny', 'esm2-tiny']) {
      const [fp32, int8] = [of(`${model}, fp32`), of(`${model}, int8`)];
      assert.ok(fp32 > 100 && int8 > 100, `${fp32} ${int8}`);
      assert.equal(of(`${model}, int8 beside fp32`), int8 / fp32);
      const error = of(`${model}, int8, worst vector`);
      assert.ok(error > 1e-3 && error < 0.1, `${error}`);
    }
    assert.equal(measured.results.length, 8);

    const [json] = (await readdir(dir)).filter((name) => name.endsWith('.json'));
    const before = await readReport(path.join(dir, json!));
    const results = before.results.map((one) => ({ ...one, runs: one.runs.map((value) => 2 * value) }));
    assert.deepEqual(
      compareReports(before, { ...before, results }, 10).regressions.map(({ name, worsePercent }) => [
        name,
        worsePercent,
      ]),
      [
        ['precision: dnabert2-tiny, int8, worst vector', 100],
        ['precision: esm2-tiny, int8, worst vector', 100],
      ],
    );
    assert.equal(compareReports({ ...before, results }, before, 10).regressions.length, 6);
    const report = await readFile(path.join(dir, json!.replace('.json', '.md')), 'utf8');
    assert.match(report, /^\| precision \| esm2-tiny, int8 beside fp32 \| [\d.]+ \| times as fast \| [\d.]+ \|$/m);
  });
});

describeWithTemporal('cli/benchmark with Temporal', () => {
  async function measure(suite: string, dir: string): Promise<BenchmarkReport> {
    const args = ['benchmark', '--suite', suite, '--quick', '-o', dir, '--json'];
    const { code, stdout, stderr } = await startCli(args, path.join(dir, 'state')).ended;
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as BenchmarkReport;
  }

  it('runs a whole predict, with speed and peak memory of both lanes', async () => {
    const dir = await temporaryFolder();
    const { results } = await measure('predict', dir);
    assert.deepEqual(
      results.map(({ name, unit }) => [name, unit]),
      [
        ['whole command', 's'],
        ['dnabert-s lane', 'tokens/s'],
        ['dnabert-s lane, peak memory', 'MB'],
        ['esm-2 lane', 'tokens/s'],
        ['esm-2 lane, peak memory', 'MB'],
      ],
    );
    for (const { name, unit, runs } of results.slice(1)) {
      assert.ok(runs[0]! > 100 && runs[0]! < (unit === 'MB' ? 2000 : 1e6), `${name}: ${runs[0]} ${unit}`);
    }
    assert.deepEqual(
      (await readdir(dir)).filter((name) => name.startsWith('state')),
      [],
      'no state left by it here',
    );
  }).timeout(240_000);

  it('says what the pool is worth, and how busy loaded lanes are', async () => {
    const dir = await temporaryFolder();
    const { results } = await measure('pool', dir);
    const [kept, reloaded, times, ...busy] = results.map(({ runs }) => runs[0]!);
    assert.equal(times, reloaded! / kept!);
    assert.deepEqual(
      results.slice(3).map(({ name, unit, better }) => [name, unit, better]),
      [
        ['dnabert-s lane, loaded and busy', '%', 'higher'],
        ['esm-2 lane, loaded and busy', '%', 'higher'],
      ],
    );
    for (const percent of busy) assert.ok(percent > 0 && percent < 100, `${percent}`);
  }).timeout(240_000);
});
