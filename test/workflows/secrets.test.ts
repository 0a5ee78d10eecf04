import assert from 'node:assert/strict';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { predictOnce, testRunOptions } from '../support/campaign.js';
import { processesOf } from '../support/cli.js';
import { GOLDEN_CASES } from '../support/golden.js';
import { type TestTemporal, startTestTemporal } from '../support/temporal.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

/** In the environment of everything that runs. */
const SECRETS = {
  HF_TOKEN: 'hf_sentinel_of_the_hub',
  AWS_ACCESS_KEY_ID: 'AKIASENTINELOFTHESTORE',
  AWS_SECRET_ACCESS_KEY: 'sentinel/secret/of/the/store',
  AWS_SESSION_TOKEN: 'sentinel-session-of-the-store',
  TEMPORAL_API_KEY: 'sentinel-key-of-the-service',
};

describeWithTemporal('a run with secrets in its environment', () => {
  let temporal: TestTemporal;
  let sockets: Socket[];

  before(async function () {
    this.timeout(120_000);
    const level = process.env['VIRNUCPRO_LOG_LEVEL'];
    Object.assign(process.env, SECRETS, { VIRNUCPRO_LOG_LEVEL: 'trace' });
    try {
      temporal = await startTestTemporal(1);
      const input = path.join(GOLDEN_CASES, 'mixed-300', 'input.fa');
      await predictOnce(
        temporal.client,
        input,
        testRunOptions(path.join(temporal.workDir, 'out'), { chunkSize: 300, keepWarmSeconds: 600 }),
      );
      sockets = listeners([process.pid, ...processesOf(temporal.stateDir)]);
    } finally {
      for (const name of Object.keys(SECRETS)) delete process.env[name];
      if (level === undefined) delete process.env['VIRNUCPRO_LOG_LEVEL'];
      else process.env['VIRNUCPRO_LOG_LEVEL'] = level;
    }
  });
  after(() => temporal?.close());

  it('leaves none of them in logs, the database of histories, results, provenance or report', async () => {
    const files = (await readdir(temporal.workDir, { recursive: true, withFileTypes: true })).filter((file) =>
      file.isFile(),
    );
    const names = files.map(({ name }) => name);
    for (const name of ['agent.log', 'server.log', 'temporal.db', 'provenance.json', 'report.html']) {
      assert.ok(names.includes(name), name);
    }
    for (const { name, parentPath } of files) {
      const bytes = await readFile(path.join(parentPath, name));
      for (const [variable, secret] of Object.entries(SECRETS)) {
        assert.ok(!bytes.includes(secret), `${variable} is in ${path.join(parentPath, name)}`);
      }
    }
    const log = await readFile(path.join(temporal.stateDir, 'agent.log'), 'utf8');
    assert.match(log, /"msg":"batch embedded"/, 'the log has what happened');
  });

  it('listens on loopback only: server, UI, supervisor, agent, lanes', () => {
    const ports = JSON.parse(readFileSync(path.join(temporal.stateDir, 'ports.json'), 'utf8')) as Record<
      string,
      number
    >;
    for (const [name, port] of Object.entries(ports)) {
      assert.ok(
        sockets.some((socket) => socket.port === port),
        `${name} listens on ${port}`,
      );
    }
    assert.deepEqual(
      sockets.filter(({ address }) => !address.startsWith('127.')),
      [],
    );
  });
});

interface Socket {
  address: string;
  port: number;
}

/** TCP sockets on which processes listen. Linux. */
function listeners(pids: readonly number[]): Socket[] {
  const theirs = new Set(
    pids.flatMap((pid) => readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === LISTENING && theirs.has(`socket:[${inode}]`))
      .map(([, local]) => {
        const [address, port] = local!.split(':') as [string, string];
        return { address: addressOf(address), port: parseInt(port, 16) };
      }),
  );
}

const LISTENING = '0A';

/** IPv4 is one number in the machine's order; IPv6 is left as it is, but for loopback. */
function addressOf(hex: string): string {
  if (hex === '00000000000000000000000001000000') return '127.0.0.1';
  if (hex.length > 8) return hex;
  return [...Buffer.from(hex, 'hex')].reverse().join('.');
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
