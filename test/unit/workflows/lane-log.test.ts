import assert from 'node:assert/strict';
import { LANE_SPANS } from '../../../src/contract/defaults.js';
import type { LaneUp } from '../../../src/contract/leases.js';
import { LaneLog, joinRecords } from '../../../src/workflows/lane-log.js';

const lane = (lease: string, changes: Partial<LaneUp> = {}): LaneUp => ({
  ...{ lease, host: 'h', device: 'cpu:0', queue: lease, pid: 1, loadSeconds: 2 },
  ...changes,
});

const output = { frames: 40, tokens: 800, seconds: 4, modelLoads: 0, refused: [] };

describe('workflows/lane-log', () => {
  it('says when a lane loaded, served and was lost, and what it did', () => {
    const log = new LaneLog();
    log.up(lane('a'), 10_000);
    assert.equal(log.framesPerSecond(lane('a')), undefined);
    log.finished(lane('a'), output);
    log.finished(lane('a'), output);
    assert.equal(log.framesPerSecond(lane('a')), 10);
    log.lost('a', 20_000);
    log.up(lane('a', { pid: 2 }), 25_000);
    // An agent that does not know whether its signal got through sends it again.
    log.up(lane('a', { pid: 2 }), 26_000);
    log.ended('a', 40_000);
    log.lost('a', 41_000);
    assert.deepEqual(log.records(), [
      {
        ...{ lane: 'h/cpu:0', batches: 2, frames: 80, tokens: 1600, busySeconds: 8, modelLoads: 2, losses: 1 },
        spans: [
          { from: 8_000, ready: 10_000, to: 20_000, lost: true },
          { from: 23_000, ready: 25_000, to: 40_000 },
        ],
      },
    ]);
  });

  it('knows a warm process by its load of no seconds, and one whose end nobody reported by its successor', () => {
    const log = new LaneLog();
    log.up(lane('a', { loadSeconds: 0 }), 1_000);
    log.up(lane('a', { pid: 2 }), 9_000);
    log.ended('a', 10_000);
    const [record] = log.records();
    assert.deepEqual([record!.modelLoads, record!.losses], [1, 1]);
    assert.deepEqual(record!.spans, [
      { from: 1_000, ready: 1_000, to: 9_000, lost: true },
      { from: 7_000, ready: 9_000, to: 10_000 },
    ]);
  });

  it('joins what slices say, and keeps a record short by closing the shortest gaps', () => {
    const slices = Array.from({ length: 100 }, (_, i) => {
      const log = new LaneLog();
      const [from, gap] = [i * 1_000, i === 49 ? 500 : 10];
      log.up(lane('a', { loadSeconds: 0 }), from);
      log.finished(lane('a'), output);
      log.ended('a', from + 1_000 - gap);
      return log.records();
    }).reverse();
    const [record, ...others] = joinRecords(slices.flat());
    assert.deepEqual(others, []);
    assert.deepEqual([record!.batches, record!.frames, record!.busySeconds], [100, 4_000, 400]);
    assert.equal(record!.spans.length, LANE_SPANS);
    assert.ok(
      record!.spans.some(({ to }) => to === 49_500),
      'the longest gap is still there',
    );
    assert.deepEqual([record!.spans[0]!.from, record!.spans.at(-1)!.to], [0, 99_990]);
  });
});
