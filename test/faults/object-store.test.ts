import assert from 'node:assert/strict';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startCampaign } from '../../src/cli/campaign-client.js';
import { troublesOf } from '../../src/cli/troubles.js';
import type { RunOptions } from '../../src/contract/run.js';
import { STAGES } from '../../src/contract/stages.js';
import type { Provenance } from '../../src/io/provenance.js';
import { downloadResults, uploadInput } from '../../src/io/transfer.js';
import { sampleOf, testRunOptions } from '../support/campaign.js';
import { HEARTBEAT_MS, PATIENCE_MS } from '../support/faults/fault-bench.js';
import { faultInput } from '../support/faults/input.js';
import { assertSameTables } from '../support/faults/result-tables.js';
import { describeWithBench } from '../support/faults/scene.js';
import { WatchedRun } from '../support/faults/watched-run.js';
import { eventually } from '../support/processes.js';
import { S3Server, describeWithS3 } from '../support/s3-server.js';

const HOSTS = ['left', 'right'] as const;

describeWithS3('a run over an object store', () => {
  describeWithBench('on two hosts that share no folder', 0, (scene) => {
    let server: S3Server;
    let dir: string;

    before(async () => {
      ({ dir } = scene.bench);
      server = await S3Server.start(path.join(dir, 's3'));
      // This process submits and downloads: a third host.
      Object.assign(process.env, server.env, { VIRNUCPRO_SCRATCH: path.join(dir, 'here') });
      for (const host of HOSTS) {
        const own = { VIRNUCPRO_SCRATCH: path.join(dir, host), VIRNUCPRO_CACHE_DIR: path.join(dir, `${host}-cache`) };
        const roles = host === 'left' ? 'control,cpu,lanes' : 'cpu,lanes';
        await scene.bench.startAgent({ host, roles, cpuLanes: 1 }, undefined, own);
      }
    });

    afterEach(() => scene.bench.behave({}));

    after(async () => {
      for (const name of [...Object.keys(server.env), 'VIRNUCPRO_SCRATCH']) delete process.env[name];
      await server.kill();
    });

    async function run(name: string, options: Partial<RunOptions> = {}): Promise<WatchedRun> {
      const root = `s3://runs/${name}`;
      const all = testRunOptions(root, { lanes: 2, batchSequences: 3, heartbeatMs: HEARTBEAT_MS, ...options });
      const file = await faultInput(dir);
      const sample = { ...sampleOf(file), input: (await uploadInput(root, file)).input };
      const { handle } = await startCampaign(scene.bench.client, [sample], all, name);
      return new WatchedRun(scene.bench.client, handle, all);
    }

    async function results({ outputDir }: WatchedRun): Promise<string> {
      const folder = path.join(dir, `results-${path.basename(outputDir)}`);
      await downloadResults(outputDir, folder);
      return folder;
    }

    it('gives the tables of a local run, byte for byte, and keeps nothing else', async () => {
      const first = await run('plain');
      await first.result(2 * PATIENCE_MS);
      const folder = await results(first);
      await assertSameTables(folder, scene.undisturbed);

      const provenance = JSON.parse(await readFile(path.join(folder, 'provenance.json'), 'utf8')) as Provenance;
      assert.match(provenance.input.path, /^s3:\/\/runs\/plain\/\.virnucpro\/inputs\/[0-9a-f]{16}\/input\.fa$/);
      assert.ok(provenance.files.every((file) => file.path.startsWith('s3://runs/plain/')));
      for (const stage of STAGES) {
        const hosts = provenance.lanes.filter((lane) => lane.stage === stage).map(({ host }) => host);
        assert.deepEqual(hosts.sort(), [...HOSTS]);
      }
      const kept = (await server.keys()).filter((key) => key.includes('.virnucpro/'));
      assert.deepEqual(
        kept.map((key) => key.replace(/[0-9a-f]{16}/, 'DIGEST')),
        ['finished.json', 'inputs/DIGEST/input.fa', 'samples.jsonl', 'waves/wave-0.jsonl'].map(
          (name) => `plain/.virnucpro/${name}`,
        ),
      );
      assert.deepEqual(
        (await server.keys()).filter((key) => key.includes('embeddings/')),
        [],
      );
      for (const host of HOSTS) assert.deepEqual(await readdir(path.join(dir, host, 'work')), []);

      const again = await run('plain');
      const { counts } = await again.result(PATIENCE_MS);
      assert.deepEqual(counts, { done: 1, failed: 0, framesQuarantined: 0 });
      assert.equal(await again.modelLoads(), 0, 'what is finished is found');
    });

    it('the store dies in mid-stage: the run says so, waits, and loses nothing', async () => {
      await scene.bench.behave({ callMs: 300 });
      const going = await run('outage');
      await going.midBatch('dnabert-s', 4, PATIENCE_MS);
      await server.kill();
      let says = '';
      await eventually(async () => {
        says = (await troublesOf(scene.bench.client, going.handle.workflowId)).join('\n');
        return says !== '';
      }, PATIENCE_MS);
      assert.match(
        says,
        /^embedBatch waits for storage: the store cannot be reached: .*ECONNREFUSED.*s3:\/\/runs\/outage/,
      );
      await server.resume();
      await scene.bench.behave({});
      await going.result(3 * PATIENCE_MS);
      await assertSameTables(await results(going), scene.undisturbed);
    });

    it('an object that was damaged in mid-run is made again', async () => {
      await scene.bench.behave({ callMs: 300 });
      const going = await run('damage');
      await going.midBatch('esm-2', 2, 2 * PATIENCE_MS);
      const [embeddings] = (await server.keys()).filter((key) =>
        /^damage\/embeddings\/dnabert-s\/.*\.arrow$/.test(key),
      );
      await writeFile(server.file(embeddings!), 'damaged');
      // Hosts trust their own copies: those must be read from the store.
      for (const host of HOSTS) {
        const copies = path.join(dir, host, 'by-digest');
        for (const name of await readdir(copies)) await rm(path.join(copies, name), { force: true });
      }
      await scene.bench.behave({});
      await going.result(3 * PATIENCE_MS);
      await assertSameTables(await results(going), scene.undisturbed);
    });
  });
});
