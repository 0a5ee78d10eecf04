import path from 'node:path';
import { availableParallelism } from 'node:os';
import type { Client, Connection } from '@temporalio/client';
import { runIdOf, startCampaign } from '../../src/cli/campaign-client.js';
import { type EmbeddedRun, openEmbeddedRun } from '../../src/cli/embedded-run.js';
import { HEARTBEAT_MS, KEEP_WARM_SECONDS, PART_MS, STALLED_CALL_MS } from '../../src/contract/defaults.js';
import type { RunOptions } from '../../src/contract/run.js';
import type { Role } from '../../src/workers/roles.js';
import { sampleOf, testRunOptions } from '../../test/support/campaign.js';
import { WatchedRun } from '../../test/support/faults/watched-run.js';
import { temporalCli } from '../../test/support/temporal-cli.js';
import { type Stub, stubEnvironment } from './stub.js';

/** A real server and a real agent in a folder of their own, with the product's own heartbeats and limits. */
export class BenchTemporal {
  private runs = 0;

  private constructor(
    private readonly dir: string,
    readonly stateDir: string,
    private readonly embedded: EmbeddedRun,
  ) {}

  /** @param stub what lanes do instead of computing. */
  static async start(
    dir: string,
    { stub, ...agent }: { lanes: number; threads?: number; roles?: readonly Role[]; stub?: Stub },
  ): Promise<BenchTemporal> {
    const stateDir = path.join(dir, 'state');
    // For this process's children: server, agent, lanes. A supervisor reads them again when it restarts one.
    Object.assign(process.env, { VIRNUCPRO_STATE_DIR: stateDir }, stub && stubEnvironment(stub));
    const embedded = await openEmbeddedRun({ threads: availableParallelism(), ...agent, temporalCli });
    return new BenchTemporal(dir, stateDir, embedded);
  }

  get client(): Client {
    return this.embedded.client;
  }

  /** Where its server listens, for hosts that a benchmark starts itself. */
  get address(): string {
    return (this.client.connection as Connection).options.address;
  }

  /** Starts a campaign over one input: tiny models and one frame a batch, unless told otherwise. */
  async run(input: string, options: Partial<RunOptions>): Promise<WatchedRun> {
    const all = testRunOptions(path.join(this.dir, `run-${++this.runs}`), {
      batchSequences: 1,
      keepWarmSeconds: KEEP_WARM_SECONDS,
      heartbeatMs: HEARTBEAT_MS,
      partMs: PART_MS,
      stalledMs: STALLED_CALL_MS,
      ...options,
    });
    const { handle } = await startCampaign(this.client, [sampleOf(input)], all, runIdOf([sampleOf(input)], all));
    return new WatchedRun(this.client, handle, all);
  }

  close(): Promise<void> {
    return this.embedded.close();
  }
}
