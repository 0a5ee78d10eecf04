import assert from 'node:assert/strict';
import { StallWatch } from '../../../src/activities/stall-watch.js';

/** A watch with a clock that the test sets, in seconds. */
function setUp(leastSeconds: number): { watch: StallWatch; pass(seconds: number): void } {
  let now = 1_000_000;
  return {
    watch: new StallWatch(leastSeconds * 1000, () => now),
    pass: (seconds) => void (now += seconds * 1000),
  };
}

describe('activities/stall-watch', () => {
  it('gives a first call the least limit', () => {
    const { watch, pass } = setUp(60);
    pass(60);
    assert.equal(watch.stalled, false);
    pass(0.001);
    assert.equal(watch.stalled, true);
  });

  it('gives calls 20 times their median when that is more; one long call moves it little', () => {
    const { watch, pass } = setUp(60);
    for (const seconds of [5, 5, 55, 4, 6]) {
      pass(seconds);
      watch.called();
    }
    pass(100);
    assert.equal(watch.stalled, false);
    pass(0.001);
    assert.equal(watch.stalled, true);
    watch.called();
    assert.equal(watch.stalled, false);
  });

  it('follows calls that grow slower: the last 101 decide', () => {
    const { watch, pass } = setUp(1);
    for (const seconds of [...Array<number>(200).fill(1), ...Array<number>(51).fill(10)]) {
      pass(seconds);
      watch.called();
    }
    pass(200);
    assert.equal(watch.stalled, false);
    pass(0.001);
    assert.equal(watch.stalled, true);
  });

  it('starts anew after waiting for a disk or reading sequences, and does not take that for a call', () => {
    const { watch, pass } = setUp(60);
    pass(3_600);
    watch.moved();
    pass(60);
    assert.equal(watch.stalled, false);
    pass(0.001);
    assert.equal(watch.stalled, true);
  });
});
