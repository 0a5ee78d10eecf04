import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { openDisplay } from '../../../src/cli/display.js';
import type { CampaignProgress, StageProgress } from '../../../src/contract/progress.js';

const stage: StageProgress = { batches: 20, done: 0, failed: 0, frames: 0, tokens: 0, modelLoads: 0, lanes: [] };

const progress = (done: number, changes: Partial<CampaignProgress> = {}): CampaignProgress => ({
  state: 'embedding',
  samples: { total: 1, split: 1, done: 0, failed: 0 },
  frames: 9,
  stages: { 'dnabert-s': { ...stage, done }, 'esm-2': { ...stage, batches: 0 } },
  warnings: [],
  ...changes,
});

describe('display on a terminal', () => {
  it('draws every line again when lanes come and go below a bar, and nothing when nothing changed', () => {
    let writes: string[] = [];
    const write = (text: string): boolean => writes.push(text) > 0;
    const terminal = { isTTY: true, columns: 100, rows: 24, write };
    const display = openDisplay(terminal as unknown as NodeJS.WriteStream);
    const lane = { lease: 'a', host: 'h', device: 'cpu:0', pid: 1, state: 'up', running: 2, done: 4 } as const;
    const withLane = progress(4);
    withLane.stages['dnabert-s'].lanes = [lane];
    for (const seen of [progress(4), withLane, progress(4)]) {
      writes = [];
      display.show(seen, ['disk full']);
      const lines = stripVTControlCharacters(writes.at(-1)!).trimEnd().split('\n');
      const wanted = ['split', 'dnabert-s', ...(seen === withLane ? ['cpu:0'] : []), 'esm-2', 'classify', '!'];
      assert.deepEqual(
        lines.map((line) => line.trim().split(' ')[0]),
        wanted,
      );
    }
    writes = [];
    display.show(progress(4), ['disk full']);
    assert.deepEqual(writes, []);
    display.close();
  });
});

describe('display without a terminal', () => {
  it('writes a line when a step moved on by a tenth, and a warning once, what holds the run up whenever it does', () => {
    let text = '';
    const display = openDisplay({ write: (piece: string) => ((text += piece), true) } as unknown as NodeJS.WriteStream);
    for (const done of [0, 1, 2, 3]) display.show(progress(done), []);
    const warnings = ['esm-2: loaded 3 times'];
    display.show(progress(3, { warnings }), []);
    display.show(progress(3, { warnings }), ['disk full']);
    display.show(progress(4, { warnings }), []);
    display.show(progress(4, { warnings }), ['disk full']);
    display.close();
    assert.deepEqual(text.split('\n'), [
      'split: 1/1, 9 frames',
      'dnabert-s: 1/20',
      'dnabert-s: 2/20',
      '! esm-2: loaded 3 times',
      '! disk full',
      'dnabert-s: 4/20',
      '! disk full',
      '',
    ]);
  });
});
