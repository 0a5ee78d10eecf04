import assert from 'node:assert/strict';
import { SLICE_BATCHES, SLICE_LANES } from '../../../src/contract/defaults.js';
import { laneShare, slices } from '../../../src/workflows/slices.js';

describe('slices', () => {
  it('one run at a time: as few as histories allow, of even size', () => {
    assert.deepEqual(slices(0, 1), []);
    assert.deepEqual(slices(3, 1), [{ from: 0, to: 3 }]);
    assert.deepEqual(slices(SLICE_BATCHES, 1), [{ from: 0, to: SLICE_BATCHES }]);
    assert.deepEqual(slices(SLICE_BATCHES + 1, 1), [
      { from: 0, to: 250 },
      { from: 250, to: 501 },
    ]);
  });

  it('side by side: a slice for each place of the window, in every round', () => {
    assert.deepEqual(
      slices(1000, 4).map(({ from, to }) => to - from),
      [250, 250, 250, 250],
    );
    assert.equal(slices(2001, 4).length, 8);
    assert.deepEqual(slices(2, 4), [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
    ]);
  });

  it('share the lanes evenly, whatever a person sets: none is given twice, none more than a slice takes', () => {
    const shares = (lanes: number, count: number): number[] =>
      Array.from({ length: count }, (_, place) => laneShare(lanes, count, place));
    assert.deepEqual(shares(40, 3), [14, 13, 13]);
    assert.deepEqual(shares(2, 3), [1, 1, 0]);
    assert.deepEqual(shares(100, 2), [SLICE_LANES, SLICE_LANES]);
  });

  it('covers every batch once, in slices that are not too large', () => {
    for (const [batches, window] of [
      [1, 1],
      [4999, 3],
      [1280, 4],
      [12_345, 7],
    ] as const) {
      let next = 0;
      for (const { from, to } of slices(batches, window)) {
        assert.equal(from, next);
        assert.ok(to > from && to - from <= SLICE_BATCHES);
        next = to;
      }
      assert.equal(next, batches);
    }
  });
});
