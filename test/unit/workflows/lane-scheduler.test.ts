import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { LaneUp } from '../../../src/contract/leases.js';
import type { EmbedBatchOutput } from '../../../src/contract/run.js';
import { BatchLedger, type Task } from '../../../src/workflows/batch-ledger.js';
import { LaneScheduler, type Verdict } from '../../../src/workflows/lane-scheduler.js';

const lane = (lease: string): LaneUp => ({ lease, host: 'h', device: 'cpu:0', queue: lease, pid: 1, loadSeconds: 1 });

interface Running {
  lease: string;
  task: Task;
  resolve(): void;
  reject(error: Error): void;
}

const verdicts: Partial<Record<string, Verdict>> = { silent: 'lane-lost', shutdown: 'lane-drains' };

function setUp(batches: number): {
  ledger: BatchLedger;
  scheduler: LaneScheduler;
  running: Running[];
  silent: string[];
} {
  const ledger = new BatchLedger(Array.from({ length: batches }, (_, index) => ({ index, frames: 4 })));
  const running: Running[] = [];
  const silent: string[] = [];
  const scheduler = new LaneScheduler(ledger, 2, {
    run: (up, task) => {
      let cancel = (): void => {};
      const result = new Promise<EmbedBatchOutput>((resolve, reject) => {
        const leave = (): void => void running.splice(running.indexOf(entry), 1);
        const entry: Running = {
          lease: up.lease,
          task,
          resolve: () => {
            leave();
            resolve({ frames: 4, tokens: 8, seconds: 0, modelLoads: 0, refused: [] });
          },
          reject: (error) => {
            leave();
            reject(error);
          },
        };
        cancel = () => entry.reject(new Error('cancelled'));
        running.push(entry);
      });
      return { result, cancel };
    },
    diagnose: ({ message }: Error) => verdicts[message] ?? 'batch-failed',
    onSilent: (lease) => silent.push(lease),
    onChange: () => {},
  });
  return { ledger, scheduler, running, silent };
}

describe('workflows/lane-scheduler', () => {
  it('keeps two tasks on each lane, spreads few over the lanes, and lets a late lane take part', async () => {
    const { ledger, scheduler, running } = setUp(6);
    scheduler.laneUp(lane('a'));
    assert.deepEqual(
      running.map(({ task }) => task.batch),
      [0, 1],
    );
    scheduler.laneUp(lane('b'));
    assert.deepEqual(
      running.filter(({ lease }) => lease === 'b').map(({ task }) => task.batch),
      [2, 3],
    );
    while (running.length > 0) {
      running[0]!.resolve();
      await turn();
    }
    assert.equal(ledger.open, 0);
    assert.equal(ledger.totals.frames, 24);
  });

  it('moves what was on a lost lane, and ignores what its cancelled tasks still say', async () => {
    const { ledger, scheduler, running } = setUp(3);
    scheduler.laneUp(lane('a'));
    scheduler.laneUp(lane('b'));
    scheduler.laneDown('a');
    await turn();
    assert.ok(running.every(({ lease }) => lease === 'b'));
    assert.equal(ledger.failed.size, 0);
    while (running.length > 0) {
      running[0]!.resolve();
      await turn();
    }
    assert.deepEqual([ledger.open, ledger.totals.embedded], [0, 3]);
  });

  it('reports a lane that went silent, once, and charges only the batch that was running', async () => {
    const { ledger, scheduler, running, silent } = setUp(2);
    scheduler.laneUp(lane('a'));
    running[0]!.reject(new Error('silent'));
    await turn();
    assert.deepEqual(silent, ['a']);
    assert.equal(running.length, 0);
    for (let crash = 0; crash < 2; crash++) {
      scheduler.laneUp(lane('a'));
      scheduler.laneDown('a', { index: 0 });
      await turn();
    }
    scheduler.laneUp(lane('a'));
    assert.deepEqual(
      running.map(({ task }) => [task.batch, task.rows]),
      [
        [0, { from: 0, to: 2 }],
        [0, { from: 2, to: 4 }],
      ],
    );
    assert.equal(ledger.open, 2);
  });

  it('leaves a lane that drains what it has: it ends that or hands it back, each by itself, and gets nothing more', async () => {
    for (const told of [true, false]) {
      const { ledger, scheduler, running } = setUp(6);
      const on = (lease: string): number[] =>
        running.filter((entry) => entry.lease === lease).map(({ task }) => task.batch);
      scheduler.laneUp(lane('a'));
      scheduler.laneUp(lane('b'));
      const [computing, waiting] = running.filter(({ lease }) => lease === 'a');
      if (told) scheduler.lanesEnd(['a']);
      waiting!.reject(new Error('shutdown'));
      await turn();
      assert.deepEqual([on('a'), on('b')], [[0], [2, 3]], 'its running batch stays');
      assert.deepEqual(
        scheduler.views().map(({ lease }) => lease),
        ['b'],
      );
      computing!.resolve();
      await turn();
      assert.deepEqual([on('a'), ledger.totals.embedded], [[], 1], 'what it finished counts');
      scheduler.laneDown('a');
      while (running.length > 0) {
        running[0]!.resolve();
        await turn();
      }
      assert.deepEqual([ledger.open, ledger.totals.embedded, ledger.totals.retries], [0, 6, 1]);
    }
  });

  it('asks about a lane that drains unasked, once, and not about one that was told to', async () => {
    for (const told of [true, false]) {
      const { ledger, scheduler, running, silent } = setUp(2);
      scheduler.laneUp(lane('a'));
      if (told) scheduler.lanesEnd(['a']);
      for (const entry of [...running]) entry.reject(new Error('shutdown'));
      await turn();
      assert.deepEqual(silent, told ? [] : ['a']);
      scheduler.laneUp(lane('a'));
      assert.deepEqual([running.length, ledger.open], [2, 2], 'the same lease serves again');
    }
  });

  it('takes from a draining lane what it did not bring to an end before it was down', async () => {
    const { ledger, scheduler, running } = setUp(2);
    scheduler.laneUp(lane('a'));
    scheduler.lanesEnd(['a']);
    scheduler.laneDown('a');
    scheduler.laneUp(lane('b'));
    await turn();
    assert.deepEqual(
      running.map(({ lease, task }) => [lease, task.batch]),
      [
        ['b', 0],
        ['b', 1],
      ],
    );
    assert.equal(ledger.totals.retries, 2);
  });

  it('quarantines the guilty row alone, though two ranges of its batch are on the lane', async () => {
    const ledger = new BatchLedger([{ index: 0, frames: 4 }]);
    const running: { task: Task; finish(): void }[] = [];
    const scheduler = new LaneScheduler(ledger, 2, {
      run: (_, task) => {
        const result = new Promise<EmbedBatchOutput>((resolve) => {
          const { from, to } = task.rows ?? { from: 0, to: 4 };
          const frames = task.rows === undefined ? 0 : to - from;
          running.push({
            task,
            finish: () => resolve({ frames, tokens: 0, seconds: 0, modelLoads: 0, refused: [] }),
          });
        });
        return { result, cancel: () => {} };
      },
      diagnose: () => 'batch-failed',
      onSilent: () => {},
      onChange: () => {},
    });
    const poison = 1;
    scheduler.laneUp(lane('a'));
    for (let step = 0; ledger.open > 0 && step < 100; step++) {
      const { task, finish } = running.shift()!;
      const { from, to } = task.rows ?? { from: 0, to: 4 };
      if (from <= poison && poison < to && !task.quarantined.some(({ row }) => row === poison)) {
        running.splice(0);
        scheduler.laneDown('a', { index: task.batch, ...(task.rows === undefined ? {} : { rows: task.rows }) });
        scheduler.laneUp(lane('a'));
      } else {
        finish();
        await turn();
      }
    }
    assert.deepEqual([ledger.open, ledger.totals.quarantined, ledger.totals.frames], [0, 1, 3]);
  });
});
