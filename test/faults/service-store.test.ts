import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type CliCall, startCli, tinyModels } from '../support/cli.js';
import { compareResults } from '../support/compare-results.js';
import { AgentProcess } from '../support/faults/agent-process.js';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { goldenCases } from '../support/golden.js';
import { OwnServer } from '../support/own-server.js';
import { S3Server, describeWithS3 } from '../support/s3-server.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

const lambda = goldenCases.find(({ name }) => name === 'lambda-500')!;

describeWithS3('virnucpro predict --store', () => {
  describeWithTemporal('on a Temporal service', (temporalCli) => {
    let dir: string;
    let server: OwnServer;
    let store: S3Server;
    let agent: AgentProcess;
    let env: NodeJS.ProcessEnv;
    before(async function () {
      this.timeout(2 * PATIENCE_MS);
      dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-store-'));
      server = await OwnServer.start(temporalCli);
      store = await S3Server.start(path.join(dir, 's3'));
      env = {
        ...store.env,
        TEMPORAL_ADDRESS: server.address,
        TEMPORAL_CONFIG_FILE: path.join(dir, 'none.toml'),
        VIRNUCPRO_SCRATCH: path.join(dir, 'here'),
      };
      const host = { ...process.env, ...env, VIRNUCPRO_SCRATCH: path.join(dir, 'there') };
      agent = new AgentProcess({ host: 'fleet', roles: 'control,cpu,lanes' }, host, path.join(dir, 'agent.log'));
    });
    after(async () => {
      await agent?.kill('SIGKILL');
      await store?.kill();
      await server?.stop();
      await rm(dir, { recursive: true, force: true });
    });

    it('sends the input, and brings the results when the detached run is attached to by its folder', async () => {
      const out = path.join(dir, 'out');
      const input = `${lambda.dir}/input.fa`;
      const cli = (...args: string[]): CliCall['ended'] => startCli(args, path.join(dir, 'state'), '', env).ended;
      const predict = [
        'predict',
        input,
        '-o',
        out,
        '-d',
        'cpu',
        '--service',
        '--store',
        's3://runs/one',
        ...tinyModels,
      ];
      const submitted = await cli(...predict, '--detach');
      assert.equal(submitted.code, 0, submitted.stderr);
      assert.ok((await store.keys()).some((key) => /^one\/\.virnucpro\/inputs\/[0-9a-f]{16}\/input\.fa$/.test(key)));

      const attached = await cli('attach', out);
      assert.equal(attached.code, 0, attached.stderr);
      for (const table of ['prediction_results.txt', 'prediction_results_highestscore.csv']) {
        await compareResults(path.join(out, 'input_merged', table), path.join(lambda.dir, table));
      }
      assert.match((await cli(...predict)).stderr, /already done/);

      await rm(path.join(out, 'input_merged'), { recursive: true });
      const again = await cli(...predict);
      assert.equal(again.code, 0, again.stderr);
      assert.ok(!again.stderr.includes('Started'), 'brought from the store, not made again');
      await compareResults(
        path.join(out, 'input_merged', 'prediction_results.txt'),
        path.join(lambda.dir, 'prediction_results.txt'),
      );

      const keys = await store.keys();
      const other = ['-o', path.join(dir, 'other')];
      const refused = await cli(...predict, ...other, '--detach');
      assert.equal(refused.code, 2, refused.stderr);
      assert.match(
        refused.stderr,
        /s3:\/\/runs\/one: the store holds files that no run of this folder left: \S+\n.*--store/,
      );
      assert.deepEqual(await store.keys(), keys);
      const shared = await cli(...predict, ...other, '--store', 's3://runs', '--detach');
      assert.equal(shared.code, 2, shared.stderr);
    }).timeout(6 * PATIENCE_MS);
  });
});
