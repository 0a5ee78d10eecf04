import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type CliCall, processesOf, startCli, tinyModels } from '../support/cli.js';
import { tableBytes } from '../support/compare-results.js';
import { goldenCases } from '../support/golden.js';
import { eventually } from '../support/processes.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

describeWithTemporal('virnucpro predict, many samples', () => {
  let dir: string;
  let stateDir: string;
  let server: CliCall;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-campaign-'));
    stateDir = path.join(dir, 'state');
    server = startCli(['server', 'start'], stateDir);
    await eventually(() => server.output().includes('Ctrl-C stops it'), 60_000);
  }).timeout(90_000);
  after(async () => {
    server.child.kill('SIGTERM');
    await server.ended;
    assert.deepEqual(processesOf(stateDir), []);
    await rm(dir, { recursive: true, force: true });
  });

  const predict = (...args: string[]): CliCall['ended'] =>
    startCli(['predict', ...args, ...tinyModels], stateDir).ended;

  it('a bad sample fails alone; the others are as single runs make them, over three waves', async () => {
    const [edge, lambda] = goldenCases;
    const folder = path.join(dir, 'reads');
    await mkdir(folder);
    await copyFile(`${edge!.dir}/input.fa`, path.join(folder, 'edge.fa'));
    await writeFile(path.join(folder, 'lambda.fa.gz'), gzipSync(await readFile(`${lambda!.dir}/input.fa`)));
    await writeFile(path.join(folder, 'twice.fna'), '>x\nACGT\n>x\nACGT\n');
    const sheet = path.join(dir, 'sheet.csv');
    await writeFile(sheet, 'sample,path\n"one, more",reads/edge.fa\nempty,empty.fa\n');
    await writeFile(path.join(dir, 'empty.fa'), '');
    const out = path.join(dir, 'many');
    const args = [folder, '--samples', sheet, '-o', out];

    const { code, stdout } = await predict(...args, '--wave-bytes', '15kB');
    assert.equal(code, 3, stdout);
    assert.match(
      stdout,
      /^4 of 5 samples done, 1 failed\ntwice: failed: .*twice\.fna, line 3, record x: this id is used by .*--rename-duplicates\n/,
    );
    const summary = (await readFile(path.join(out, 'campaign.tsv'), 'utf8')).trimEnd();
    const rows = summary.split('\n').map((row) => row.split('\t'));
    assert.deepEqual(
      rows.map(([sample, status, , contigs, , , , , , , frames]) => [sample, status, contigs, frames]),
      [
        ['sample', 'status', 'contigs', 'frames'],
        ['edge', 'done', '13', '57'],
        ['lambda', 'done', '1', '45'],
        ['twice', 'failed', '', ''],
        ['one, more', 'done', '13', '57'],
        ['empty', 'done', '0', '0'],
      ],
    );

    assert.match(stdout, new RegExp(`^Report: ${out}/report\\.html$`, 'm'));
    const reports = ['', 'edge', 'lambda', 'one, more', 'empty'].map((name) => path.join(out, name, 'report.html'));
    for (const report of reports) await rm(report);
    const rewritten = await startCli(['report', out], stateDir).ended;
    assert.equal(rewritten.stdout, `Report: ${reports[0]}\n`, rewritten.stderr);
    for (const report of reports) assert.match(await readFile(report, 'utf8'), /<\/html>\n$/);
    assert.match(await readFile(path.join(out, 'virnucpro_mqc.tsv'), 'utf8'), /^lambda\tdone\t0\t0\.00\t5\t1\t/m);

    const single = await predict(path.join(folder, 'edge.fa'), '-o', path.join(dir, 'edge'));
    assert.equal(single.code, 0, single.stderr);
    const bytes = await tableBytes(path.join(dir, 'edge'), 'edge');
    assert.deepEqual(await tableBytes(path.join(out, 'edge'), 'edge'), bytes);
    assert.deepEqual(await tableBytes(path.join(out, 'one, more'), 'edge'), bytes);

    // The failed sample is tried again; what is finished is found by digest, so that no model is loaded.
    const again = await predict(...args);
    assert.equal(again.code, 3);
    assert.ok(!again.stderr.includes('model load'), again.stderr);

    await writeFile(path.join(folder, 'twice.fna'), '>x\nACGT\n>y\nACGT\n');
    const changed = await predict(...args);
    assert.equal(changed.code, 2);
    assert.match(changed.stderr, /twice\.fna \(sample twice\) had sha256 [0-9a-f]{64} and has [0-9a-f]{64}/);
    const resumed = await predict(...args, '--resume');
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stdout, /^5 of 5 samples done/);
    const done = await predict(...args);
    assert.equal(done.code, 0);
    assert.match(done.stderr, /already done/);
  }).timeout(240_000);

  it('exits 1 when every sample fails, and says so of each in campaign.tsv', async () => {
    const out = path.join(dir, 'none');
    const inputs = await Promise.all(
      ['p', 'q'].map(async (name) => {
        const file = path.join(dir, `${name}.fa`);
        await writeFile(file, 'not FASTA\n');
        return file;
      }),
    );
    const { code, stderr } = await predict(...inputs, '-o', out);
    assert.equal(code, 1);
    assert.match(stderr, /all 2 samples failed; the first: /);
    const rows = (await readFile(path.join(out, 'campaign.tsv'), 'utf8')).trimEnd().split('\n');
    assert.deepEqual(
      rows.map((row) => row.split('\t').slice(0, 2)),
      [
        ['sample', 'status'],
        ['p', 'failed'],
        ['q', 'failed'],
      ],
    );
  }).timeout(60_000);
});
