import { createWriteStream } from 'node:fs';
import path from 'node:path';
import {
  GenericContainer,
  type StartedNetwork,
  type StartedTestContainer,
  getContainerRuntimeClient,
} from 'testcontainers';
import { BEHAVIOUR_FILE } from '../faults/lane-behaviour.js';
import { S3_KEYS } from '../s3-server.js';
import { SERVER_PORT, STORE_PORT, serverName, storeName } from './places.js';

/** Where a node finds the tiny models; no path of the test's own machine is used in a run. */
export const MODELS_FOLDER = '/models';

const SCRATCH = '/scratch';

/** Longer than a node takes to hand its batches back. */
const STOP_MS = 60_000;

type Engine = Awaited<ReturnType<typeof getContainerRuntimeClient>>['container']['dockerode'];
type RawContainer = ReturnType<Engine['getContainer']>;
type RawNetwork = ReturnType<Engine['getNetwork']>;

/** Where a node stands. */
export interface NodePlace {
  network: StartedNetwork;
  /** Of the test: its behaviour file, and the nodes' logs. */
  folder: string;
}

/** A worker host: a container with a name, a file system and a scratch disk of its own, one lane and all roles. */
export class FleetNode {
  private constructor(
    readonly name: string,
    private readonly container: StartedTestContainer,
    private readonly network: StartedNetwork,
  ) {}

  static async start(name: string, image: string, { network, folder }: NodePlace): Promise<FleetNode> {
    const container = await new GenericContainer(image)
      .withNetwork(network)
      .withHostname(name)
      .withEnvironment({
        ...S3_KEYS,
        AWS_ENDPOINT_URL_S3: `http://${storeName(network)}:${STORE_PORT}`,
        TEMPORAL_ADDRESS: `${serverName(network)}:${SERVER_PORT}`,
        VIRNUCPRO_SCRATCH: SCRATCH,
        VIRNUCPRO_LOG_LEVEL: 'info',
        NODE_OPTIONS: '--import=/opt/virnucpro/test/support/faults/lane-backend.js',
        [BEHAVIOUR_FILE]: '/behaviour/all.json',
      })
      .withBindMounts([
        { source: path.resolve('test/fixtures/golden/models'), target: MODELS_FOLDER, mode: 'ro' },
        // The test's hand on the devices, beside the package so that it finds the package's modules.
        { source: path.resolve('dist/test'), target: '/opt/virnucpro/test', mode: 'ro' },
        { source: path.join(folder, 'behaviour'), target: '/behaviour', mode: 'ro' },
      ])
      .withTmpFs({ [SCRATCH]: 'rw,uid=10001,gid=10001,size=64m' })
      .withCommand(['worker', '--cpu-lanes', '1', '--threads', '1'])
      .withLogConsumer((stream) => stream.pipe(createWriteStream(path.join(folder, `${name}.log`), { flags: 'a' })))
      .start();
    return new FleetNode(name, container, network);
  }

  /** SIGKILL to everything in it. */
  async kill(): Promise<void> {
    await (await this.raw()).kill();
  }

  /** As an orchestrator stops it: SIGTERM, and time to drain. Gives its exit code. */
  async stop(): Promise<number> {
    const container = await this.raw();
    await container.stop({ t: STOP_MS / 1000 });
    return (await container.inspect()).State.ExitCode;
  }

  /** Takes its only network away: nothing it sends arrives, and nobody is told. */
  async cutOff(): Promise<void> {
    await (await this.rawNetwork()).disconnect({ Container: this.container.getId() });
  }

  async reconnect(): Promise<void> {
    await (await this.rawNetwork()).connect({ Container: this.container.getId() });
  }

  /** Runs a shell command in it, as its user. */
  async shell(command: string): Promise<string> {
    return (await this.container.exec(['sh', '-c', command])).output;
  }

  /** Takes every byte of its scratch disk. */
  async fillDisk(): Promise<void> {
    await this.shell(`cat /dev/zero >${SCRATCH}/filler; cat /dev/zero >${SCRATCH}/last-block`);
  }

  async freeDisk(): Promise<void> {
    await this.shell(`rm ${SCRATCH}/filler ${SCRATCH}/last-block`);
  }

  async remove(): Promise<void> {
    await (await this.raw()).remove({ force: true, v: true });
  }

  private async raw(): Promise<RawContainer> {
    return (await engine()).getContainer(this.container.getId());
  }

  private async rawNetwork(): Promise<RawNetwork> {
    return (await engine()).getNetwork(this.network.getId());
  }
}

/** The engine's own interface, for what testcontainers has no word for. */
async function engine(): Promise<Engine> {
  return (await getContainerRuntimeClient()).container.dockerode;
}
