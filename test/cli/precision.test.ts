import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Provenance } from '../../src/io/provenance.js';
import { startCli, tinyModels } from '../support/cli.js';
import { writeContigs } from '../support/contigs.js';
import { goldenModels } from '../support/golden.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

describeWithTemporal('virnucpro predict --precision', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-cli-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const run = (...args: string[]): ReturnType<typeof startCli>['ended'] =>
    startCli(args, path.join(dir, 'state'), '', { VIRNUCPRO_CACHE_DIR: path.join(dir, 'cache') }).ended;

  it('computes in int8, says what was not verified, and uses nothing of another precision', async () => {
    const out = path.join(dir, 'out');
    const input = await writeContigs(path.join(dir, 'in.fa'), 3, { from: 100, to: 166 });
    const verified = await run('models', 'verify', goldenModels.proteinModel, '--precision', 'int8', '-t', '1');
    assert.equal(verified.code, 0, verified.stderr);
    assert.match(verified.stdout, /against the same model in fp32\n(.*\n)+.* ok\n/);

    const args = ['predict', input, '-o', out, '--keep-embeddings', ...tinyModels];
    const results = async (): Promise<{ scores: number[]; made: Provenance }> => {
      const table = await readFile(path.join(out, 'in_merged', 'prediction_results.txt'), 'utf8');
      const made = JSON.parse(await readFile(path.join(out, 'provenance.json'), 'utf8')) as Provenance;
      const rows = table.trimEnd().split('\n').slice(1);
      return { scores: rows.map((row) => Number(row.split('\t')[2])), made };
    };
    const precisions = ({ models }: Provenance): unknown[] => models.map((model) => [model.precision, model.verified]);

    const int8 = await run(...args, '--precision', 'int8');
    assert.equal(int8.code, 0, int8.stderr);
    const { dnaModel } = goldenModels;
    assert.deepEqual(int8.stderr.match(/^warning: .*$/gm), [
      `warning: ${dnaModel} was not verified in int8 on this machine: ` +
        `virnucpro models verify ${dnaModel} --precision int8`,
    ]);
    const first = await results();
    assert.deepEqual(precisions(first.made), [
      ['int8', false],
      ['int8', true],
      [undefined, undefined],
    ]);
    assert.deepEqual([first.made.options['dnabert-precision'], first.made.options['esm-precision']], ['int8', 'int8']);

    const other = await run(...args, '--dnabert-precision', 'int8');
    assert.equal(other.code, 2);
    assert.match(other.stderr, /another run: esmPrecision was int8 and is not given\n/);

    const resumed = await run(...args, '--dnabert-precision', 'int8', '--resume');
    assert.equal(resumed.code, 0, resumed.stderr);
    const second = await results();
    assert.deepEqual(precisions(second.made), [
      ['int8', false],
      ['fp32', false],
      [undefined, undefined],
    ]);
    const { 'dnabert-s': dna, 'esm-2': protein } = second.made.stages;
    assert.deepEqual([dna!.embedded, dna!.reused, protein!.embedded, protein!.reused], [0, 1, 1, 0]);
    assert.equal(first.scores.length, 3);
    assert.notDeepEqual(second.scores, first.scores);
    second.scores.forEach((score, i) => assert.ok(Math.abs(score - first.scores[i]!) < 0.05, `${score}`));
  }).timeout(180_000);
});
