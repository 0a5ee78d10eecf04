import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chooseSeed, randomNumbers } from '../../test/support/faults/random.js';

const HOSTS = 8;
const LANES_A_HOST = 8;

/** Lanes of a whole fleet. */
export const LANES = HOSTS * LANES_A_HOST;

/** Between two kills, on average. */
const KILL_EVERY_MS = 5_000;

/** One kill of this many takes a whole host. */
const HOST_KILLS = 5;

/** A host that was killed is back after this. */
const HOST_AWAY_MS = 5_000;

const FLEET_HOST = fileURLToPath(new URL('./fleet-host.js', import.meta.url));

/** Hosts in processes of their own, each with many simulated lanes, that can be killed. */
export class Fleet {
  private readonly hosts: ChildProcess[];

  constructor(
    private readonly address: string,
    private readonly batchMs: number,
  ) {
    this.hosts = Array.from({ length: HOSTS }, (_, i) => this.start(i));
  }

  /** Until `over`; tells what it killed. */
  async killAtRandom(over: AbortSignal): Promise<{ seed: number; lanes: number; hosts: number }> {
    const killed = { seed: chooseSeed(), lanes: 0, hosts: 0 };
    const random = randomNumbers(killed.seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    for (;;) {
      await sleep(KILL_EVERY_MS * 2 * random(), undefined, { signal: over }).catch(() => {});
      if (over.aborted) return killed;
      const host = below(HOSTS);
      if (below(HOST_KILLS) === 0) {
        killed.hosts += 1;
        await this.restart(host);
      } else {
        killed.lanes += 1;
        this.hosts[host]!.send(below(LANES_A_HOST));
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => kill(host)));
  }

  private async restart(i: number): Promise<void> {
    await kill(this.hosts[i]!);
    await sleep(HOST_AWAY_MS);
    this.hosts[i] = this.start(i);
  }

  private start(i: number): ChildProcess {
    return fork(FLEET_HOST, [`host-${i + 1}`, `${LANES_A_HOST}`, `${this.batchMs}`], {
      env: { ...process.env, TEMPORAL_ADDRESS: this.address, VIRNUCPRO_LOG_LEVEL: 'error' },
    });
  }
}

async function kill(host: ChildProcess): Promise<void> {
  const exited = once(host, 'exit');
  host.kill('SIGKILL');
  await exited;
}
