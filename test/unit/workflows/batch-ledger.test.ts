import assert from 'node:assert/strict';
import type { EmbedBatchOutput, QuarantinedRow } from '../../../src/contract/run.js';
import { BatchLedger, type Task } from '../../../src/workflows/batch-ledger.js';

const output = (frames: number, refused: QuarantinedRow[] = []): EmbedBatchOutput => ({
  frames,
  tokens: frames * 10,
  seconds: 1,
  modelLoads: 0,
  refused,
});

/** Works a ledger off on one lane whose process dies of the poisoned rows. Returns every task that was run. */
function workOff(ledger: BatchLedger, frames: number, poisoned: Set<number>): Task[] {
  const run: Task[] = [];
  const saved = new Set<number>();
  for (let task = ledger.take('lane', true); task !== undefined; task = ledger.take('lane', true)) {
    run.push(task);
    assert.ok(run.length < 1000, 'the ledger comes to an end');
    const { from, to } = task.rows ?? { from: 0, to: frames };
    const out = new Set(task.quarantined.map(({ row }) => row));
    const rows = Array.from({ length: to - from }, (_, i) => from + i).filter(
      (row) => !out.has(row) && !saved.has(row),
    );
    if (rows.some((row) => poisoned.has(row))) ledger.charged(task);
    else {
      for (const row of rows) saved.add(row);
      ledger.finished(task, output(rows.length), 'lane');
    }
  }
  return run;
}

describe('workflows/batch-ledger', () => {
  it('bisects a batch that kills processes until the guilty rows stand alone; the rest is delivered', () => {
    for (const poisoned of [[0], [36], [6], [3, 4], [0, 17, 36]]) {
      const ledger = new BatchLedger([{ index: 5, frames: 37 }]);
      const run = workOff(ledger, 37, new Set(poisoned));
      assert.equal(ledger.open, 0);
      assert.equal(ledger.failed.size, 0);
      assert.equal(ledger.totals.embedded, 1);
      assert.equal(ledger.totals.frames, 37 - poisoned.length);
      assert.equal(ledger.totals.quarantined, poisoned.length);
      const last = run.at(-1)!;
      assert.equal(last.rows, undefined, 'the whole batch is published at the end');
      assert.deepEqual(new Set(last.quarantined.map(({ row }) => row)), new Set(poisoned));
    }
  });

  it('counts what a lane was given again: for failures, crashes, refusals and lost lanes, not for lanes given back', () => {
    const ledger = new BatchLedger([{ index: 0, frames: 2 }]);
    const take = (lease: string): Task => ledger.take(lease, false)!;
    ledger.giveBack(take('a'));
    assert.equal(ledger.totals.retries, 0);
    ledger.lost(take('a'));
    assert.equal(ledger.totals.retries, 1);
    ledger.broke(take('a'), new Error('x'), 'a');
    assert.equal(ledger.totals.retries, 2);
    ledger.charged(take('b'));
    assert.equal(ledger.totals.retries, 3);
    ledger.finished(take('b'), output(1, [{ row: 1, reason: 'too_large' }]), 'b');
    assert.equal(ledger.totals.retries, 4);
    ledger.broke(take('c'), new Error('y'), 'c');
    assert.deepEqual([ledger.failed.size, ledger.totals.retries], [1, 4], 'put aside, not tried again yet');
    ledger.retryFailed();
    assert.equal(ledger.totals.retries, 5);
  });

  it('quarantines the one sequence of a batch of one', () => {
    const ledger = new BatchLedger([{ index: 0, frames: 1 }]);
    workOff(ledger, 1, new Set([0]));
    assert.equal(ledger.open, 0);
    assert.equal(ledger.totals.quarantined, 1);
  });

  it('blames nobody for a lane that is lost, however often', () => {
    const ledger = new BatchLedger([{ index: 0, frames: 10 }]);
    for (let lost = 0; lost < 20; lost++) ledger.giveBack(ledger.take(`lane ${lost}`, false)!);
    const task = ledger.take('good', false)!;
    assert.deepEqual(task, { batch: 0, round: 0, quarantined: [] });
    ledger.finished(task, output(10), 'good');
    assert.equal(ledger.open, 0);
  });

  it('has a refused sequence tried on another lane before it is quarantined', () => {
    const ledger = new BatchLedger([{ index: 0, frames: 10 }]);
    const nan = { row: 7, reason: 'non_finite' } as const;
    ledger.finished(ledger.take('a', false)!, output(9, [nan]), 'a');
    assert.equal(ledger.take('a', false), undefined, 'another lane shall try it');
    ledger.finished(ledger.take('b', false)!, output(0, [nan]), 'b');
    const last = ledger.take('a', false)!;
    assert.deepEqual(last.quarantined, [nan]);
    ledger.finished(last, output(0), 'a');
    assert.deepEqual([ledger.open, ledger.totals.quarantined, ledger.totals.frames], [0, 1, 9]);
  });

  it('puts a batch aside that fails on two lanes, and takes it up again', () => {
    const ledger = new BatchLedger([
      { index: 0, frames: 10 },
      { index: 1, frames: 10 },
    ]);
    const bad = ledger.take('a', false)!;
    ledger.broke(bad, new Error('first'), 'a');
    assert.equal(ledger.take('a', false)!.batch, 1, 'the lane goes on with another batch');
    ledger.broke(ledger.take('b', false)!, new Error('second'), 'b');
    assert.deepEqual([...ledger.failed.keys()], [0]);
    assert.equal(ledger.open, 1);
    ledger.retryFailed();
    assert.equal(ledger.open, 2);
    ledger.finished(ledger.take('a', true)!, output(10), 'a');
    assert.equal(ledger.open, 1);
  });

  it('does not hear of a failed batch what its older tasks still say, once it was taken up again', () => {
    const ledger = new BatchLedger([{ index: 0, frames: 4 }]);
    for (let charge = 0; charge < 2; charge++) ledger.charged(ledger.take('a', true)!);
    const [left, right] = [ledger.take('a', true)!, ledger.take('b', true)!];
    assert.deepEqual(
      [left.rows, right.rows],
      [
        { from: 0, to: 2 },
        { from: 2, to: 4 },
      ],
    );
    ledger.broke(left, new Error('1'), 'a');
    ledger.broke(ledger.take('b', true)!, new Error('2'), 'b');
    assert.equal(ledger.failed.size, 1);
    ledger.retryFailed();
    const again = ledger.take('a', true)!;
    assert.equal(again.rows, undefined);
    ledger.finished(right, output(2), 'b');
    ledger.charged(left);
    ledger.giveBack(left);
    assert.deepEqual([ledger.open, ledger.take('a', true)], [1, undefined]);
    ledger.finished(again, output(4), 'a');
    assert.deepEqual([ledger.open, ledger.totals.embedded], [0, 1]);
  });
});
