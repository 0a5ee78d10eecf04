import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { STAGES } from '../../src/contract/stages.js';
import type { Provenance } from '../../src/io/provenance.js';
import { embeddedConnectionOptions } from '../../src/server/dev-server.js';
import { type Supervision, joinSupervision } from '../../src/server/supervisor.js';
import { VirnucproPlugin } from '../../src/plugin.js';
import { predictOnce, testRunOptions } from '../support/campaign.js';
import { compareResults } from '../support/compare-results.js';
import { GOLDEN_CASES } from '../support/golden.js';
import { childrenOf } from '../support/processes.js';
import { sdkLogEntries, sdkMetrics } from '../support/sdk-log.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

const GOLDEN = path.join(GOLDEN_CASES, 'mixed-300');

describeWithTemporal('a host that runs everything of ours', (temporalCli) => {
  let dir: string;
  let server: Supervision;
  let client: Client;

  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-plugin-'));
    server = await joinSupervision({ stateDir: path.join(dir, 'state'), temporalCli, log: pino({ level: 'silent' }) });
    client = new Client({ connection: await Connection.connect(embeddedConnectionOptions(server.address)) });
  });

  after(async () => {
    await client?.connection.close();
    await server?.close();
    await rm(dir, { recursive: true, force: true });
  });

  it("serves a campaign by name, without bundling, beside two of the host's workers that share one agent", async () => {
    const plugin = new VirnucproPlugin({
      lanes: { count: 1, threads: 1 },
      roles: ['control'],
      host: 'host-1',
      env: { TEMPORAL_ADDRESS: server.address, VIRNUCPRO_LOG_LEVEL: 'error' },
    });
    // Listed on the connection, the plugin reaches every worker that uses it, and must not reach its own agent's.
    const connection = await NativeConnection.connect({ address: server.address, plugins: [plugin] });
    const first = await Worker.create({ connection, taskQueue: 'own-queue' });
    const second = await Worker.create({ connection, taskQueue: 'other-queue' });

    const listeners = processListeners();
    const options = testRunOptions(path.join(dir, 'out'), { chunkSize: 300, cpuQueue: 'own-queue' });
    const running = second.run();
    const result = await first.runUntil(predictOnce(client, path.join(GOLDEN, 'input.fa'), options));
    assert.deepEqual(result.counts, { done: 1, failed: 0, framesQuarantined: 0 });
    for (const table of ['prediction_results.txt', 'prediction_results_highestscore.csv']) {
      await compareResults(path.join(dir, 'out', 'input_merged', table), path.join(GOLDEN, table));
    }
    assert.deepEqual(processListeners(), listeners, 'nothing global is registered');
    const counted = [...sdkMetrics.retrieveUpdates()].filter(({ metric }) => metric.name === 'virnucpro_frames');
    const { frames } = (await provenanceOf(path.join(dir, 'out'))).counts;
    assert.equal(
      counted.reduce((sum, { value }) => sum + value, 0),
      STAGES.length * frames!,
    );
    second.shutdown();
    await running;
    await connection.close();
    assert.equal(sdkLogEntries.filter(({ message }) => message === 'agent started').length, 1);
    assert.deepEqual(
      childrenOf(process.pid).filter(({ command }) => command.startsWith('virnucpro-lane')),
      [],
    );
  });
});

async function provenanceOf(folder: string): Promise<Provenance> {
  return JSON.parse(await readFile(path.join(folder, 'provenance.json'), 'utf8')) as Provenance;
}

/** What hangs on this process, by event. */
function processListeners(): Record<string, number> {
  return Object.fromEntries(process.eventNames().map((event) => [String(event), process.listenerCount(event)]));
}
