/** A fleet of 64 simulated lanes on 8 hosts, left alone and with random kills: how busy it is, and what gets lost. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { STAGES } from '../src/contract/stages.js';
import { chooseSeed, randomNumbers } from '../test/support/faults/random.js';
import type { BatchAttempt } from '../test/support/faults/watched-run.js';
import { BenchTemporal } from './support/bench-temporal.js';
import { type Bench, benchmark, round } from './support/benchmark.js';
import { writeContigs } from './support/contigs.js';
import { readProvenance } from './support/provenance.js';

const HOSTS = 8;
const LANES_A_HOST = 8;
const LANES = HOSTS * LANES_A_HOST;
const BATCH_MS = 4_000;
const KILL_EVERY_MS = 5_000;
/** One kill of this many takes a whole host. */
const HOST_KILLS = 5;
/** A host that was killed is back after this. */
const HOST_AWAY_MS = 5_000;

const FLEET_HOST = fileURLToPath(new URL('./support/fleet-host.js', import.meta.url));

await benchmark('fleet', async (bench) => {
  const temporal = await BenchTemporal.start(bench.dir, { lanes: 1, roles: ['control', 'cpu'] });
  const fleet = new Fleet(temporal.address);
  try {
    await measure(bench, temporal, fleet, false);
    await measure(bench, temporal, fleet, true);
  } finally {
    await fleet.close();
    await temporal.close();
  }
});

async function measure(
  { small, dir, row }: Bench,
  temporal: BenchTemporal,
  fleet: Fleet,
  kills: boolean,
): Promise<void> {
  const batches = LANES * (small ? 2 : 30);
  const input = await writeContigs(path.join(dir, 'input.fa'), batches, { from: 100, to: 100 });
  const run = await temporal.run(input, { lanes: LANES });
  const over = new AbortController();
  const killing = kills ? fleet.killAtRandom(over.signal) : Promise.resolve({ seed: 0, lanes: 0, hosts: 0 });
  await run.handle.result();
  over.abort();
  const killed = await killing;
  const { counts } = await readProvenance(run.outputDir);
  for (const stage of STAGES) {
    const attempts = await run.attempts(stage);
    const completed = attempts.filter(({ end }) => end === 'completed');
    row({
      stage,
      batches,
      'lanes killed (both stages)': killed.lanes,
      'hosts killed (both stages)': killed.hosts,
      seed: killed.seed,
      'span, s': round(spanMs(attempts) / 1000),
      'utilisation, %': round((100 * completed.length * BATCH_MS) / (LANES * spanMs(attempts))),
      tries: attempts.length,
      'batches lost': batches - new Set(completed.map(({ index }) => index)).size,
      'frames without a call': counts['frames']! - counts['framesCalled']!,
      'model loads': counts[`modelLoads ${stage}`]!,
    });
  }
}

/** From the first batch given to a lane to the last one finished. */
function spanMs(attempts: BatchAttempt[]): number {
  const first = Math.min(...attempts.map(({ scheduledAt }) => scheduledAt));
  return Math.max(...attempts.map(({ endedAt = 0 }) => endedAt)) - first;
}

class Fleet {
  private readonly hosts: ChildProcess[];

  constructor(private readonly address: string) {
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
    return fork(FLEET_HOST, [`host-${i + 1}`, `${LANES_A_HOST}`, `${BATCH_MS}`], {
      env: { ...process.env, TEMPORAL_ADDRESS: this.address, VIRNUCPRO_LOG_LEVEL: 'error' },
    });
  }
}

async function kill(host: ChildProcess): Promise<void> {
  const exited = once(host, 'exit');
  host.kill('SIGKILL');
  await exited;
}
