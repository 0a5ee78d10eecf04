import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { GenericContainer, type StartedTestContainer, getContainerRuntimeClient } from 'testcontainers';
import { BEHAVIOUR_FILE } from '../faults/lane-behaviour.js';
import { S3_KEYS } from '../s3-server.js';
import { Cable } from './cable.js';

/** Where a node finds the tiny models; no path of the test's own machine is used in a run. */
export const MODELS_FOLDER = '/models';

const SCRATCH = '/scratch';

/** Longer than a node takes to hand its batches back. */
const STOP_MS = 60_000;

type Engine = Awaited<ReturnType<typeof getContainerRuntimeClient>>['container']['dockerode'];
type RawContainer = ReturnType<Engine['getContainer']>;

/** Where a node stands. */
export interface NodePlace {
  /** Ports of server and store, on loopback. */
  ports: { server: number; store: number };
  /** Of the test: its behaviour file, and the nodes' logs. */
  folder: string;
}

/**
 * A worker host: a container with a name, a file system, a scratch disk and cables of its own, one lane and all roles.
 */
export class FleetNode {
  private constructor(
    readonly name: string,
    private readonly container: StartedTestContainer,
    private readonly cables: readonly Cable[],
  ) {}

  static async start(name: string, image: string, { ports, folder }: NodePlace): Promise<FleetNode> {
    const [toServer, toStore] = [await Cable.lay(ports.server), await Cable.lay(ports.store)];
    const container = await new GenericContainer(image)
      .withNetworkMode('host')
      .withEnvironment({
        ...S3_KEYS,
        AWS_ENDPOINT_URL_S3: `http://${toStore.address}`,
        TEMPORAL_ADDRESS: toServer.address,
        VIRNUCPRO_HOST: name,
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
    return new FleetNode(name, container, [toServer, toStore]);
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

  /** Nothing it sends arrives, nothing is sent to it, and nobody is told. */
  cutOff(): void {
    for (const cable of this.cables) cable.cut();
  }

  reconnect(): void {
    for (const cable of this.cables) cable.mend();
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
    for (const cable of this.cables) cable.close();
  }

  private async raw(): Promise<RawContainer> {
    return (await engine()).getContainer(this.container.getId());
  }
}

/** The engine's own interface, for what testcontainers has no word for. */
async function engine(): Promise<Engine> {
  return (await getContainerRuntimeClient()).container.dockerode;
}
