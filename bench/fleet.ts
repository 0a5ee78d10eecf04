/** A fleet of 64 simulated lanes on 8 hosts, left alone and with random kills: how busy it is, and what gets lost. */
import path from 'node:path';
import { STAGES } from '../src/contract/stages.js';
import type { BatchAttempt } from '../test/support/faults/watched-run.js';
import { BenchTemporal } from './support/bench-temporal.js';
import { type Bench, benchmark } from './support/benchmark.js';
import { round } from './support/figures.js';
import { writeContigs } from '../test/support/contigs.js';
import { Fleet, LANES } from './support/fleet.js';
import { readProvenance } from './support/provenance.js';

const BATCH_MS = 8_000;

await benchmark('fleet', async (bench) => {
  const temporal = await BenchTemporal.start(bench.dir, { lanes: 1, roles: ['control', 'cpu'] });
  const fleet = new Fleet(temporal.address, BATCH_MS);
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
  const batches = LANES * (small ? 2 : 12);
  const input = await writeContigs(path.join(dir, 'input.fa'), batches, { from: 100, to: 100 });
  const run = await temporal.run(input, { lanes: LANES });
  const over = new AbortController();
  const killing = kills ? fleet.killAtRandom(over.signal) : Promise.resolve({ seed: 0, lanes: 0, hosts: 0 });
  await run.handle.result();
  over.abort();
  const killed = await killing;
  const { counts, stages } = await readProvenance(run.outputDir);
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
      'model loads': stages[stage].modelLoads,
    });
  }
}

/** From the first batch given to a lane to the last one finished. */
function spanMs(attempts: BatchAttempt[]): number {
  const first = Math.min(...attempts.map(({ scheduledAt }) => scheduledAt));
  return Math.max(...attempts.map(({ endedAt = 0 }) => endedAt)) - first;
}
