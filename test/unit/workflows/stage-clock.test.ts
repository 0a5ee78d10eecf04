import assert from 'node:assert/strict';
import { StageClock } from '../../../src/workflows/stage-clock.js';

describe('StageClock', () => {
  it('counts the time with lanes at work, and none while the stage waits', () => {
    const clock = new StageClock();
    clock.tick(false, 1_000);
    clock.tick(true, 5_000);
    clock.tick(true, 7_000);
    clock.tick(false, 8_000);
    clock.tick(true, 60_000);
    assert.deepEqual(clock.read(), { busySeconds: 3, reportedAt: 60_000 });
    clock.tick(true, 61_500);
    assert.deepEqual(clock.read(), { busySeconds: 4.5, reportedAt: 61_500 });
  });
});
