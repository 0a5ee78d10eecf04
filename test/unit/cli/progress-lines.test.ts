import assert from 'node:assert/strict';
import { barLines, laneLines, plainLine, progressLines } from '../../../src/cli/progress-lines.js';
import type { CampaignProgress, LaneView, StageProgress } from '../../../src/contract/progress.js';

const idle: StageProgress = { batches: 0, done: 0, failed: 0, frames: 0, tokens: 0, modelLoads: 0, lanes: [] };

function progress(stage: Partial<StageProgress>): CampaignProgress {
  return {
    state: 'embedding',
    samples: { total: 5, split: 5, done: 1, failed: 1 },
    frames: 1000,
    stages: { 'dnabert-s': { ...idle, batches: 10, ...stage }, 'esm-2': idle },
    warnings: [],
  };
}

function lineOf(stage: Partial<StageProgress>, now: number): string {
  return plainLine(progressLines(progress(stage), now)[1]!);
}

describe('progress lines', () => {
  it('count samples of the whole campaign, failed ones apart', () => {
    const lines = progressLines(progress({}), 0).map(plainLine);
    assert.deepEqual(lines, ['split: 5/5, 1000 frames', 'dnabert-s: 0/10', 'esm-2: 0/0', 'classify: 1/5, 1 failed']);
  });

  it('tell rate and time left from frames in the time that lanes worked', () => {
    const at = { done: 4, frames: 400, busySeconds: 20, reportedAt: 100_000 };
    assert.equal(lineOf(at, 100_000), 'dnabert-s: 4/10, 20 frames/s, 30 s left');
    assert.equal(lineOf(at, 112_000), 'dnabert-s: 4/10, 20 frames/s, 18 s left');
    assert.equal(lineOf(at, 200_000), 'dnabert-s: 4/10, 20 frames/s, 0 s left');
    assert.equal(lineOf({ ...at, busySeconds: 4_000 }, 100_000), 'dnabert-s: 4/10, 0.1 frames/s, 1 h 40 min left');
    assert.equal(lineOf({ ...at, busySeconds: 400_000 }, 100_000), 'dnabert-s: 4/10, 0.001 frames/s, 6 d 22 h left');
  });

  it('tell neither before the first batch, after the last, nor when all was found finished', () => {
    assert.equal(lineOf({ busySeconds: 3, reportedAt: 0 }, 9_000), 'dnabert-s: 0/10');
    assert.equal(lineOf({ done: 10, frames: 1000, busySeconds: 9, reportedAt: 0 }, 9_000), 'dnabert-s: 10/10');
    assert.equal(lineOf({ done: 6 }, 9_000), 'dnabert-s: 6/10');
  });

  it('say what a stage waits for, and why', () => {
    const waitingFor = 'a free cpu lane (queue q); h: out of service: cpu:0: the device gives other vectors';
    assert.equal(lineOf({ waitingFor }, 0), `dnabert-s: 0/10, waiting for ${waitingFor}`);
  });

  it('have the lanes of a stage below it, each with its share of the work, with their host where there are several', () => {
    const lane: LaneView = {
      ...{ lease: 'a', host: 'alpha', device: 'cpu:0', pid: 7, state: 'up', running: 2, done: 4 },
      framesPerSecond: 301.4,
    };
    const starting: LaneView = { ...lane, device: 'cpu:1', state: 'starting', done: 0 };
    delete starting.framesPerSecond;
    const lanesAt = (columns: number, lanes: LaneView[]): string[] =>
      laneLines(progressLines(progress({ lanes }), 0)[1]!, columns);
    const share = `${'█'.repeat(5)}${'░'.repeat(7)}`;
    assert.deepEqual(lanesAt(80, [lane, starting]), [
      `  cpu:0    ${share} 4 done, 301 frames/s`,
      `  cpu:1    ${'░'.repeat(12)} loading`,
    ]);
    const down: LaneView = { ...lane, host: 'beta', state: 'down' };
    assert.deepEqual(lanesAt(80, [starting, down]), [
      `  alpha/cpu:1 ${'░'.repeat(12)} loading`,
      `  beta/cpu:0  ${share} restarting, 301 frames/s`,
    ]);
    const long: LaneView = { ...down, host: 'a-node-with-quite-a-long-name.example.org' };
    assert.deepEqual(lanesAt(70, [lane, long])[1], `  ${long.host}/cpu:0: restarting, 301 frames/s`);
    const many = Array.from({ length: 20 }, (_, i) => ({ ...lane, device: `cpu:${i}` }));
    assert.deepEqual([lanesAt(80, many).length, lanesAt(80, many).at(-1)], [8, '  and 13 more lanes']);
    assert.equal(lanesAt(80, many.slice(0, 8)).length, 8);
    assert.deepEqual(lanesAt(50, [lane]), []);
    assert.deepEqual(lanesAt(80, []), []);
  });

  it('draw a bar of one width, shorter on narrow terminals; what does not fit stands below in whole words', () => {
    const at = { done: 4, frames: 400, busySeconds: 20, reportedAt: 0, modelLoads: 12 };
    const [split, stage] = progressLines(progress(at), 0);
    assert.deepEqual(barLines(split!, 100), [`split      ${'█'.repeat(24)} 5/5  1000 frames`]);
    const text = '12 model loads, 20 frames/s, 30 s left';
    assert.deepEqual(barLines(stage!, 80), [`dnabert-s  █████░░░░░░░ 4/10  ${text}`]);
    assert.deepEqual(barLines(stage!, 40), [
      'dnabert-s  ███░░░░░ 4/10',
      '           12 model loads, 20 frames/s,',
      '           30 s left',
    ]);
    for (const columns of [1, 5, 20]) assert.ok(barLines(stage!, columns).length > 1);
  });
});
