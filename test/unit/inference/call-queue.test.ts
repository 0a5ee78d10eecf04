import assert from 'node:assert/strict';
import { CallQueue } from '../../../src/inference/call-queue.js';

/** A queue for a model in `segments` that computes `calls` at once, and the facts that it looks at. */
function setUp(
  lengths: number[],
  { tokensPerCall, calls = 1, segments = calls }: { tokensPerCall: number; calls?: number; segments?: number },
): { queue: CallQueue; facts: { tokensPerCall: number } } {
  const facts = { tokensPerCall, spread: { segments, calls, threadsPerCall: 1, tokensPerCall } };
  return { queue: new CallQueue(lengths, facts), facts };
}

/** What is sent until the queue wants to wait. */
function sent(queue: CallQueue): number[][] {
  const calls: number[][] = [];
  for (let call = queue.next(0); call !== undefined; call = queue.next(calls.length)) calls.push(call.indices);
  return calls;
}

describe('inference/call-queue', () => {
  it('has one call more under way than compute, but none more where it would find an idle segment', () => {
    const lengths = Array.from({ length: 9 }, () => 5);
    for (const [segments, calls, underWay] of [
      [1, 1, 2],
      [3, 3, 4],
      [3, 2, 2],
      [9, 1, 1],
    ] as const) {
      assert.equal(sent(setUp(lengths, { tokensPerCall: 5, calls, segments }).queue).length, underWay);
    }
  });

  it('shares few sequences out among the calls that are computed at once', () => {
    const lengths = [5, 5, 5, 5, 5];
    assert.deepEqual(sent(setUp(lengths, { tokensPerCall: 100 }).queue), [[0, 1, 2, 3, 4]]);
    assert.deepEqual(sent(setUp(lengths, { tokensPerCall: 100, calls: 2 }).queue), [[0, 1], [2, 3], [4]]);
    assert.deepEqual(sent(setUp([], { tokensPerCall: 100 }).queue), []);
    const many = Array.from({ length: 300_000 }, () => 5);
    assert.equal(setUp(many, { tokensPerCall: 5 }).queue.next(0)!.indices.length, 1);
  });

  it('makes all later calls as small as it is told when one did not fit', () => {
    const { queue, facts } = setUp([5, 5, 5, 5, 5, 5], { tokensPerCall: 20 });
    const call = queue.next(0)!;
    facts.tokensPerCall = 10;
    assert.equal(queue.takeBack(call), true);
    assert.deepEqual(sent(queue), [
      [0, 1],
      [2, 3],
    ]);
    assert.deepEqual(sent(queue), [[4, 5]]);
  });

  it('tries a sequence that did not fit beside others once more, when all others are done', () => {
    const { queue } = setUp([9, 5], { tokensPerCall: 5, calls: 2 });
    const call = queue.next(0)!;
    assert.equal(queue.takeBack(call), true);
    assert.deepEqual(queue.next(0), { indices: [1], isAlone: false });
    assert.equal(queue.next(1), undefined);
    const alone = queue.next(0)!;
    assert.deepEqual(alone, { indices: [0], isAlone: true });
    assert.equal(queue.takeBack(alone), false);
    const { queue: one } = setUp([9], { tokensPerCall: 5 });
    assert.equal(one.takeBack(one.next(0)!), false, 'where one call computes, it had all memory');
  });

  it('sends what it takes back one by one before all else', () => {
    const { queue } = setUp([5, 5, 5], { tokensPerCall: 10 });
    const { indices } = queue.next(0)!;
    queue.takeBackEach(indices);
    assert.deepEqual(sent(queue), [[0], [1]]);
    assert.deepEqual(sent(queue), [[2]]);
  });
});
