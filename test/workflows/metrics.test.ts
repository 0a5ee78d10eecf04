import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { STAGES, type Stage } from '../../src/contract/stages.js';
import type { Provenance } from '../../src/io/provenance.js';
import { predictOnce, testRunOptions } from '../support/campaign.js';
import { GOLDEN_CASES } from '../support/golden.js';
import { childrenOf, eventually, pidsOf } from '../support/processes.js';
import { type Scrape, freeAddress, scrape } from '../support/prometheus.js';
import { type TestTemporal, startTestTemporal } from '../support/temporal.js';
import { describeWithTemporal } from '../support/temporal-cli.js';

/** Our counters and gauges of a lane. */
const OURS = [
  'virnucpro_frames_total',
  'virnucpro_tokens_total',
  'virnucpro_model_loads_total',
  'virnucpro_lane_starts_total',
  'virnucpro_lane_losses_total',
  'virnucpro_quarantined_frames_total',
  'virnucpro_lanes',
  'virnucpro_lane_peak_bytes',
];

const LANE = 'virnucpro-lane esm-2 cpu:0';

describeWithTemporal('the metrics of a host', () => {
  let temporal: TestTemporal;
  let address: string;
  let idle: Scrape;
  let done: Scrape;
  let provenance: Provenance;

  before(async function () {
    this.timeout(120_000);
    address = await freeAddress();
    process.env['VIRNUCPRO_METRICS'] = address;
    temporal = await startTestTemporal(1).finally(() => delete process.env['VIRNUCPRO_METRICS']);
    const there = async (): Promise<boolean> => (await scrape(address)).sum('virnucpro_lanes') !== undefined;
    await eventually(() => there().catch(() => false), 60_000);
    idle = await scrape(address);
    const outputDir = path.join(temporal.workDir, 'out');
    const options = testRunOptions(outputDir, { batchSequences: 10, chunkSize: 300, keepWarmSeconds: 600 });
    await predictOnce(temporal.client, path.join(GOLDEN_CASES, 'mixed-300', 'input.fa'), options);
    provenance = JSON.parse(await readFile(path.join(outputDir, 'provenance.json'), 'utf8')) as Provenance;
    done = await scrape(address);
  });
  after(() => temporal?.close());

  it('are there from the start, at zero, by bounded labels', () => {
    const device = 'cpu:0';
    assert.equal(idle.sum('virnucpro_device_retired', { device }), 0);
    for (const stage of STAGES) {
      for (const name of OURS) assert.equal(idle.sum(name, { device, stage }), 0, name);
    }
    assert.deepEqual(done.labelsOf('virnucpro_'), ['cause', 'device', 'host', 'reason', 'stage', 'state']);
  });

  it("equal the run's own counts, lane by lane", () => {
    assert.equal(provenance.lanes.length, 2);
    for (const {
      stage,
      host,
      device,
      frames,
      tokens,
      modelLoads,
      batches,
      busySeconds,
      peakBytes,
    } of provenance.lanes) {
      const of = { stage, host, device };
      assert.equal(done.sum('virnucpro_frames_total', of), frames);
      assert.equal(done.sum('virnucpro_tokens_total', of), tokens);
      assert.equal(done.sum('virnucpro_model_loads_total', of), modelLoads);
      assert.equal(done.sum('virnucpro_lane_starts_total', of), 1);
      assert.equal(done.sum('virnucpro_batch_seconds_count', of), batches);
      assert.ok(Math.abs(done.sum('virnucpro_batch_seconds_sum', of)! - busySeconds) < 1e-3 * batches);
      assert.equal(done.sum('virnucpro_lane_peak_bytes', of), peakBytes);
      assert.equal(done.sum('virnucpro_lanes', { ...of, state: 'warm' }), 1);
    }
    const frames = (stage: Stage): number => done.sum('virnucpro_frames_total', { stage })!;
    assert.deepEqual(STAGES.map(frames), [provenance.counts.frames, provenance.counts.frames]);
    assert.equal(done.sum('virnucpro_lane_losses_total'), 0);
    assert.equal(done.sum('virnucpro_quarantined_frames_total'), 0);
  });

  it('tell of a lane that is killed', async () => {
    const [agent] = pidsOf('worker --roles').filter((pid) => childrenOf(pid).some(({ command }) => command === LANE));
    process.kill(childrenOf(agent!).find(({ command }) => command === LANE)!.pid, 'SIGKILL');
    const of = { stage: 'esm-2', device: 'cpu:0' };
    const losses = async (): Promise<number> => (await scrape(address)).sum('virnucpro_lane_losses_total', of)!;
    await eventually(async () => (await losses()) === 1, 10_000);
    const now = await scrape(address);
    assert.equal(now.sum('virnucpro_lane_losses_total', { ...of, cause: 'killed' }), 1);
    assert.equal(now.sum('virnucpro_lanes', of), 0);
    assert.equal(now.sum('virnucpro_lane_peak_bytes', of), 0);
    assert.equal(now.sum('virnucpro_lanes', { stage: 'dnabert-s' }), 1);
  });

  it('are what docs/metrics.md explains: all that is served, and nothing that is not', async () => {
    const page = await readFile('docs/metrics.md', 'utf8');
    const [served, later] = page.split('| what has happened');
    const rows = (text: string): [string, string][] =>
      [...text.matchAll(/^\| `((?:virnucpro|temporal)_\w+)` +\| (\w+)/gm)].map(([, name, type]) => [name!, type!]);
    const mayCome = new Map(rows(later!));
    const there = [...done.types].filter(([name]) => !mayCome.has(name));
    assert.deepEqual(rows(served!).sort(), there.sort());
    for (const [name, type] of done.types) assert.equal(mayCome.get(name) ?? type, type);
  });
});
