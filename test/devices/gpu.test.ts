import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { relativeError } from '../../src/inference/prove-device.js';
import { readEmbeddings } from '../../src/io/embeddings-file.js';
import { startCli, tinyModels } from '../support/cli.js';
import { readTable } from '../support/compare-results.js';
import { goldenCases } from '../support/golden.js';
import { temporalCli } from '../support/temporal-cli.js';
import { describeWithDevice } from '../support/test-devices.js';
import { goldenEmbeddings, MODELS, temporaryFolder } from '../support/tiny-models.js';

const edge = goldenCases.find(({ name }) => name === 'edge-500')!;

for (const kind of ['webgpu', 'cuda'] as const) {
  await describeWithDevice(kind, 'GPU', ({ name, env }) => {
    let dir: string;
    before(async () => (dir = await temporaryFolder()));
    after(() => rm(dir, { recursive: true, force: true }));

    const virnucpro = (...args: string[]): ReturnType<typeof startCli>['ended'] =>
      startCli(args, path.join(dir, 'state'), undefined, env).ended;

    it('devices lists it, with what computes on it', async () => {
      const { code, stdout, stderr } = await virnucpro('devices', '--json');
      assert.equal(code, 0, stderr);
      const devices = JSON.parse(stdout) as { name: string; provider?: string; precisions: string[] }[];
      const found = devices.find((device) => device.name === name);
      assert.match(found?.provider ?? '', new RegExp(`^onnxruntime [\\d.]+ ${kind}$`));
      assert.deepEqual(found?.precisions, ['fp32']);
    }).timeout(60_000);

    // Few and short: a device in software takes a second for a hundred tokens.
    for (const [model, golden, letters] of [
      ['dnabert2-tiny', 'dnabert2', [4, 299]],
      ['esm2-tiny', 'esm2', [7, 166]],
    ] as const) {
      it(`gives the golden vectors of ${model} within 1e-3`, async () => {
        const all = await goldenEmbeddings(golden);
        const cases = letters.map((length) => all.find(({ sequence }) => sequence.length === length)!);
        assert.ok(cases[1]!.input_ids.length > 64);
        const input = path.join(dir, `${model}.fa`);
        const output = path.join(dir, `${model}.arrow`);
        await writeFile(input, cases.map(({ sequence }, i) => `>s${i}\n${sequence}\n`).join(''));
        const { code, stderr } = await virnucpro('embed', '-m', `${MODELS}/${model}`, input, '-o', output, '-d', name);
        assert.equal(code, 0, stderr);
        const { vectors, width } = await readEmbeddings(output);
        cases.forEach(({ mean }, i) => {
          const error = relativeError(vectors.slice(i * width, (i + 1) * width), Float32Array.from(mean));
          assert.ok(error <= 1e-3, `${cases[i]!.sequence}: ${error}`);
        });
      }).timeout(120_000);
    }

    const reason = temporalCli === undefined ? ' (skipped: no Temporal CLI here)' : '';
    (temporalCli === undefined ? it.skip : it)(
      `predict takes a lane of it for both stages, and gives the golden calls${reason}`,
      async () => {
        const input = path.join(dir, 'short.fa');
        await writeFile(input, await recordsOf('short_5', 'short_6'));
        const out = path.join(dir, 'out');
        const args = [input, '-o', out, '-d', name, '--no-progress', '--keep-warm', '0', ...tinyModels];
        const { code, stderr } = await virnucpro('predict', ...args);
        assert.equal(code, 0, stderr);

        const rows = (await readTable(path.join(out, 'short_merged', 'prediction_results.txt'))).rows;
        const expected = (await readTable(path.join(edge.dir, 'prediction_results.txt'))).rows.filter(([id]) =>
          /^short_[56]_/.test(id!),
        );
        assert.equal(expected.length, 10);
        assert.deepEqual(
          rows.map((row) => row.slice(0, 2)),
          expected.map((row) => row.slice(0, 2)),
        );
        expected.forEach((row, i) => {
          for (const column of [2, 3]) assert.ok(Math.abs(Number(row[column]) - Number(rows[i]![column])) <= 1e-3);
        });
        const { lanes } = JSON.parse(await readFile(path.join(out, 'provenance.json'), 'utf8')) as {
          lanes: { stage: string; device: string }[];
        };
        assert.deepEqual(
          lanes.map(({ stage, device }) => [stage, device]),
          [
            ['dnabert-s', name],
            ['esm-2', name],
          ],
        );
      },
    ).timeout(180_000);
  });
}

/** Records of the golden case as FASTA. */
async function recordsOf(...ids: string[]): Promise<string> {
  const records = (await readFile(`${edge.dir}/input.fa`, 'utf8')).split(/^(?=>)/m);
  return records.filter((record) => ids.includes(/^>(\S+)/.exec(record)![1]!)).join('');
}
