import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { ServerError } from '../../src/contract/failures.js';
import { embeddedConnectionOptions } from '../../src/server/dev-server.js';
import { type Supervision, joinSupervision } from '../../src/server/supervisor.js';
import { connectOnce } from '../../src/workers/connection.js';
import { predictOnce, testRunOptions } from '../support/campaign.js';
import { compareResults } from '../support/compare-results.js';
import { AgentProcess } from '../support/faults/agent-process.js';
import { GOLDEN_CASES } from '../support/golden.js';
import { describeWithTemporal } from '../support/temporal-cli.js';
import { type TestCertificates, hasOpenssl, makeCertificates, startTlsFront } from '../support/tls-front.js';

const GOLDEN = path.join(GOLDEN_CASES, 'mixed-300');

describeWithTemporal('a Temporal service with mutual TLS', (temporalCli) => {
  let dir: string;
  let server: Supervision;
  let certificates: TestCertificates;
  let front: Awaited<ReturnType<typeof startTlsFront>>;

  const withOpenssl = hasOpenssl ? it : it.skip;

  before(async () => {
    if (!hasOpenssl) return;
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-tls-'));
    server = await joinSupervision({ stateDir: path.join(dir, 'state'), temporalCli, log: pino({ level: 'silent' }) });
    certificates = makeCertificates(dir);
    front = await startTlsFront(server.address, certificates);
  });

  after(async () => {
    front?.close();
    await server?.close();
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  /** Temporal's own variables, as an administrator sets them. */
  const environment = (): NodeJS.ProcessEnv => ({
    TEMPORAL_ADDRESS: front.address,
    TEMPORAL_NAMESPACE: server.namespace,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.authority,
    TEMPORAL_TLS_SERVER_NAME: 'temporal.test',
    TEMPORAL_TLS_CLIENT_CERT_PATH: certificates.client.cert,
    TEMPORAL_TLS_CLIENT_KEY_PATH: certificates.client.key,
  });

  withOpenssl('is served by an agent and its lanes that have a certificate (needs openssl)', async () => {
    const env = { ...process.env, ...environment() };
    const agent = new AgentProcess(
      { host: 'tls-host', roles: 'control,cpu,lanes', cpuLanes: 1 },
      env,
      path.join(dir, 'agent.log'),
    );
    const connection = await Connection.connect(embeddedConnectionOptions(server.address));
    try {
      const client = new Client({ connection, namespace: server.namespace });
      const options = testRunOptions(path.join(dir, 'out'), { chunkSize: 300 });
      const result = await predictOnce(client, path.join(GOLDEN, 'input.fa'), options);
      assert.deepEqual(result.counts, { done: 1, failed: 0, framesQuarantined: 0 });
      for (const table of ['prediction_results.txt', 'prediction_results_highestscore.csv']) {
        await compareResults(path.join(dir, 'out', 'input_merged', table), path.join(GOLDEN, table));
      }
    } finally {
      await connection.close();
      assert.equal(await agent.kill('SIGTERM'), 0);
    }
  });

  withOpenssl('is reached with all of them (needs openssl)', async () => {
    const { connection, namespace } = await connectOnce(environment());
    assert.equal(namespace, server.namespace);
    await connection.close();
  });

  for (const missing of [
    ['TEMPORAL_TLS_CLIENT_CERT_PATH', 'TEMPORAL_TLS_CLIENT_KEY_PATH'],
    ['TEMPORAL_TLS_SERVER_CA_CERT_PATH'],
  ]) {
    withOpenssl(`is not reached without ${missing.join(', ')} (needs openssl)`, async () => {
      const rest = Object.fromEntries(Object.entries(environment()).filter(([name]) => !missing.includes(name)));
      await assert.rejects(connectOnce(rest), (error) => error instanceof ServerError && error.where === front.address);
    });
  }
});
