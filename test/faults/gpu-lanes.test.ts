import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startCli, tinyModels } from '../support/cli.js';
import { readTable } from '../support/compare-results.js';
import { fakeCudaHost } from '../support/fake-cuda-host.js';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';
import { goldenCases } from '../support/golden.js';
import { eventually } from '../support/processes.js';
import { describeWithTemporal } from '../support/temporal-cli.js';
import { describeWithDevice } from '../support/test-devices.js';
import { temporaryFolder } from '../support/tiny-models.js';

describeWithBench('a GPU turns bad', 0, (scene) => {
  before(() => scene.bench.startAgent({ host: 'control', roles: 'control,cpu' }));

  it('its lane is retired with its reason; the run waits, and goes on when another host has a good one', async () => {
    const { bench, undisturbed } = scene;
    const start = async (host: string): Promise<string> => {
      const dir = path.join(bench.dir, host);
      await mkdir(dir);
      await bench.startAgent({ host, devices: 'cuda:0' }, undefined, await fakeCudaHost(dir, { devices: 1 }));
      const log = path.join(bench.dir, `${host}.log`);
      await eventually(async () => (await readFile(log, 'utf8')).includes('agent started'), PATIENCE_MS);
      return dir;
    };
    await fakeCudaHost(await start('bad'), { devices: 1, wrong: [0] });
    const run = await bench.run({ device: 'cuda', lanes: 1 });
    const reason = /a free cuda lane .*bad: no free device; cuda:0 is out of service: .*other vectors than the CPU/;
    await run.until(({ stages }) => reason.test(stages['dnabert-s'].waitingFor ?? ''), PATIENCE_MS);

    await start('good');
    await run.result(2 * PATIENCE_MS);
    await assertSameTables(run.outputDir, undisturbed);
  });
});

// Here and not among the commands' tests: a device in software takes its time.
for (const kind of ['webgpu', 'cuda'] as const) {
  await describeWithDevice(kind, 'a run on a GPU', ({ name, env }) => {
    describeWithTemporal('predict', () => {
      it('takes a lane of it for both stages, and gives the golden calls within 1e-3', async () => {
        const dir = await temporaryFolder();
        const edge = goldenCases.find((golden) => golden.name === 'edge-500')!;
        const records = (await readFile(`${edge.dir}/input.fa`, 'utf8')).split(/^(?=>)/m);
        const input = path.join(dir, 'short.fa');
        await writeFile(input, records.filter((record) => /^>short_[56]\b/.test(record)).join(''));
        const out = path.join(dir, 'out');
        const args = ['predict', input, '-o', out, '-d', name, '--precision', 'fp32', ...tinyModels];
        const { code, stderr } = await startCli(args, path.join(dir, 'state'), undefined, env).ended;
        assert.equal(code, 0, stderr);

        const { rows } = await readTable(path.join(out, 'short_merged', 'prediction_results.txt'));
        const golden = await readTable(path.join(edge.dir, 'prediction_results.txt'));
        const expected = golden.rows.filter(([id]) => /^short_[56]_/.test(id!));
        const calls = (of: string[][]): string[][] => of.map((row) => row.slice(0, 2));
        assert.equal(rows.length, 10);
        assert.deepEqual(calls(rows), calls(expected));
        rows.forEach((row, i) => {
          for (const column of [2, 3]) {
            assert.ok(Math.abs(Number(row[column]) - Number(expected[i]![column])) <= 1e-3, row.join(' '));
          }
        });
        const { lanes } = JSON.parse(await readFile(path.join(out, 'provenance.json'), 'utf8')) as {
          lanes: { stage: string; device: string }[];
        };
        assert.deepEqual(
          lanes.map(({ stage, device }) => [stage, device]),
          ['dnabert-s', 'esm-2'].map((stage) => [stage, name]),
        );
        await rm(dir, { recursive: true });
      }).timeout(600_000);
    });
  });
}
