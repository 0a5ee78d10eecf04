/** How long lanes wait between batches of about one second, as a share of the wall time. Target: under 2 %. */
import { mkdir, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { BenchTemporal } from './support/bench-temporal.js';
import { benchmark } from './support/benchmark.js';
import { median, quantile, round } from './support/figures.js';
import { writeContigs } from '../test/support/contigs.js';

const LANES = 2;

/** One call a batch, and batches of several calls whose vectors are many. */
const BATCHES = [
  { frames: 1, callMs: 1000 },
  { frames: 100, callMs: 250 },
];

interface Call {
  startedAt: number;
  endedAt: number;
}

await benchmark('lane-idle', async ({ small, dir, row }) => {
  const perLane = small ? 5 : 60;
  for (const { frames, callMs } of BATCHES) {
    const callsDir = path.join(dir, `calls-${frames}`);
    await mkdir(callsDir);
    const temporal = await BenchTemporal.start(path.join(dir, `${frames}`), {
      lanes: LANES,
      threads: LANES,
      stub: { callMs, callsDir },
    });
    try {
      const input = await writeContigs(path.join(dir, `${frames}.fa`), LANES * perLane * frames, {
        from: 100,
        to: 166,
      });
      const run = await temporal.run(input, { lanes: LANES, batchSequences: frames });
      await run.handle.result();
    } finally {
      await temporal.close();
    }
    for (const file of await readdir(callsDir)) {
      const calls = await readCalls(path.join(callsDir, file));
      const gaps = calls.slice(1).map(({ startedAt }, i) => startedAt - calls[i]!.endedAt);
      const wall = calls.at(-1)!.endedAt - calls[0]!.startedAt;
      const idle = gaps.reduce((sum, gap) => sum + gap, 0);
      row({
        'frames a batch': frames,
        lane: file.replace('.tsv', ''),
        calls: calls.length,
        'wall, s': round(wall / 1000),
        'idle, %': round((100 * idle) / wall),
        'gap between calls, median ms': round(median(gaps)),
        '95 %': round(quantile(gaps, 0.95)),
        longest: round(Math.max(...gaps)),
      });
    }
  }
});

async function readCalls(file: string): Promise<Call[]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => {
    const [startedAt, endedAt] = line.split('\t').map(Number);
    return { startedAt: startedAt!, endedAt: endedAt! };
  });
}
