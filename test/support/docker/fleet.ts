import { chmod, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { GenericContainer, type StartedTestContainer } from 'testcontainers';
import { startCampaign } from '../../../src/cli/campaign-client.js';
import type { RunOptions } from '../../../src/contract/run.js';
import { SEARCH_ATTRIBUTES } from '../../../src/contract/search-attributes.js';
import { uploadInput } from '../../../src/io/transfer.js';
import { sampleOf, testRunOptions } from '../campaign.js';
import { PATIENCE_MS } from '../faults/fault-bench.js';
import { faultInput } from '../faults/input.js';
import { type Behaviour, setBehaviour } from '../faults/lane-behaviour.js';
import { type Tables, assertSameTables, readTables } from '../faults/result-tables.js';
import { WatchedRun } from '../faults/watched-run.js';
import { freePort } from '../free-port.js';
import { S3_KEYS, S3_PROGRAM } from '../s3-server.js';
import { temporalCli } from '../temporal-cli.js';
import { buildImages, type Images } from './images.js';
import { FleetNode, MODELS_FOLDER, type NodePlace } from './node.js';

/** Silence after which a lease or a batch is taken for dead: three nodes start and stop on one small machine. */
const HEARTBEAT_MS = 5_000;

/** A Temporal server, an object store and nodes: containers that share nothing but this machine's loopback network. */
export class Fleet {
  private nodes: FleetNode[] = [];
  private runs = 0;

  private constructor(
    readonly images: Images,
    private readonly folder: string,
    private readonly ports: NodePlace['ports'],
    private readonly server: StartedTestContainer,
    private readonly store: StartedTestContainer,
    private client: Client,
  ) {}

  static async start(): Promise<Fleet> {
    const images = await buildImages();
    const folder = await mkdtemp(path.join(tmpdir(), 'virnucpro-fleet-'));
    // Read by the nodes' user.
    await chmod(folder, 0o755);
    for (const name of ['behaviour', 'store/objects/runs', 'store/facts']) {
      await mkdir(path.join(folder, name), { recursive: true });
    }
    await setBehaviour(behaviourFile(folder), {});
    const ports = { server: await freePort(), store: await freePort() };
    const server = await new GenericContainer(images.cpu)
      .withNetworkMode('host')
      .withUser('root')
      .withBindMounts([{ source: temporalCli!, target: '/usr/local/bin/temporal', mode: 'ro' }])
      .withEntrypoint(['temporal'])
      .withCommand([
        ...['server', 'start-dev', '--headless', '--log-level', 'error', '--db-filename', '/temporal.db'],
        ...['--ip', '127.0.0.1', '--port', `${ports.server}`],
        ...SEARCH_ATTRIBUTES.flatMap(({ name }) => ['--search-attribute', `${name}=Keyword`]),
      ])
      .start();
    const store = await new GenericContainer(images.cpu)
      .withNetworkMode('host')
      .withUser('root')
      .withEnvironment({
        ROOT_ACCESS_KEY: S3_KEYS.AWS_ACCESS_KEY_ID,
        ROOT_SECRET_KEY: S3_KEYS.AWS_SECRET_ACCESS_KEY,
      })
      .withBindMounts([
        { source: S3_PROGRAM, target: '/usr/local/bin/versitygw', mode: 'ro' },
        { source: path.join(folder, 'store'), target: '/store' },
      ])
      .withEntrypoint(['versitygw'])
      .withCommand([
        '--port',
        `127.0.0.1:${ports.store}`,
        '--quiet',
        'posix',
        '--sidecar',
        '/store/facts',
        '/store/objects',
      ])
      .start();
    // For the client's part, which runs in this process.
    Object.assign(process.env, S3_KEYS, { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${ports.store}` });
    return new Fleet(images, folder, ports, server, store, await connect(ports.server));
  }

  /** How all devices behave from their next call on. */
  behave(behaviour: Behaviour): Promise<void> {
    return setBehaviour(behaviourFile(this.folder), behaviour);
  }

  async add(name: string, image = this.images.cpu): Promise<FleetNode> {
    const node = await FleetNode.start(name, image, { ports: this.ports, folder: this.folder });
    this.nodes.push(node);
    return node;
  }

  /** Starts a run over {@link faultInput} for three lanes, in batches of three frames, with its store in a bucket. */
  async run(): Promise<WatchedRun> {
    const name = `run-${++this.runs}`;
    const root = `s3://runs/${name}`;
    const file = await faultInput(this.folder);
    const { input } = await uploadInput(root, file);
    const options: RunOptions = testRunOptions(root, {
      dnaModel: `${MODELS_FOLDER}/dnabert2-tiny`,
      proteinModel: `${MODELS_FOLDER}/esm2-tiny`,
      classifier: `${MODELS_FOLDER}/classifier-tiny/tiny.safetensors`,
      lanes: 3,
      batchSequences: 3,
      heartbeatMs: HEARTBEAT_MS,
    });
    const { handle } = await startCampaign(this.client, [{ ...sampleOf(file), input }], options, name);
    return new WatchedRun(this.client, handle, options);
  }

  /** What a finished run wrote into the store. */
  readTables(run: WatchedRun): Promise<Tables> {
    return readTables(this.resultsOf(run));
  }

  assertSameTables(run: WatchedRun, expected: Tables): Promise<void> {
    return assertSameTables(this.resultsOf(run), expected);
  }

  /** Ends the server at once and starts it on its database; gives the run as seen through the new one. */
  async restartServer(run: WatchedRun): Promise<WatchedRun> {
    await this.server.restart({ timeout: 0 });
    await this.client.connection.close();
    this.client = await connect(this.ports.server);
    return new WatchedRun(this.client, this.client.workflow.getHandle(run.handle.workflowId), run.options);
  }

  get temporal(): Client {
    return this.client;
  }

  async removeNodes(): Promise<void> {
    await Promise.all(this.nodes.splice(0).map((node) => node.remove()));
  }

  /** The last words of every node, for a test that failed. */
  async lastWords(): Promise<string> {
    const logs = (await readdir(this.folder)).filter((name) => name.endsWith('.log'));
    const texts = await Promise.all(logs.map((name) => readFile(path.join(this.folder, name), 'utf8')));
    return texts.map((text, i) => `--- ${logs[i]}\n${text.split('\n').slice(-40).join('\n')}`).join('\n');
  }

  async close(): Promise<void> {
    await this.removeNodes();
    await this.client.connection.close();
    await this.server.stop();
    await this.store.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private resultsOf(run: WatchedRun): string {
    return path.join(this.folder, 'store/objects', run.outputDir.slice('s3://'.length));
  }
}

/** Waits for the server. */
async function connect(port: number): Promise<Client> {
  for (const startedAt = Date.now(); ; await sleep(200)) {
    try {
      const connection = await Connection.connect({
        address: `127.0.0.1:${port}`,
        channelArgs: { 'grpc.enable_http_proxy': 0 },
      });
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      return new Client({ connection });
    } catch (error) {
      if (Date.now() - startedAt > PATIENCE_MS) throw error;
    }
  }
}

function behaviourFile(folder: string): string {
  return path.join(folder, 'behaviour', 'all.json');
}
