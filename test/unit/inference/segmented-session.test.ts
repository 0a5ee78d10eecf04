import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ModelError } from '../../../src/contract/failures.js';
import { type LoadableSegment, SegmentedSession } from '../../../src/inference/segmented-session.js';
import { SessionThread } from '../../../src/inference/session-thread.js';
import { GraphBuilder } from '../../../src/model/graph/builder.js';
import { countSessionCalls } from '../../support/session-calls.js';

const options = { threads: 1, spinning: false };

/** x + 1 + 1, an addition a segment. */
function segments(): LoadableSegment[] {
  const g = new GraphBuilder((file) => file);
  const one = g.constant(Float32Array.of(1), []);
  const first = g.op('Add', [g.input('x', 'float32', ['rows', 1]), one]);
  g.boundary(first, 1);
  g.op('Add', [first, one], {}, 'y');
  g.output('y', 'float32', ['rows', 1]);
  return g.segments(2).map((segment) => ({ ...segment, weightsFolder: tmpdir() }));
}

const feeds = (x: number): Parameters<SegmentedSession['run']>[0] => ({
  x: { type: 'float32', dims: [1, 1], data: Float32Array.of(x) },
});

describe('SegmentedSession', () => {
  it('has several calls on their way, tells of each segment, and waits for them when it closes', async () => {
    const session = await SegmentedSession.open(segments(), options);
    assert.match(session.provider, /^onnxruntime .* cpu$/);
    let computed = 0;
    const onSegment = (): void => void (computed += 1);
    const calls = Promise.all([1, 2, 3, 4].map((x) => session.run(feeds(x), { onSegment })));
    await Promise.all([session.close(), session.close()]);
    assert.equal(computed, 8);
    assert.deepEqual(
      (await calls).map(([y]) => y),
      [3, 4, 5, 6],
    );
  });

  describe('when calls are cancelled', () => {
    let session: SegmentedSession;
    let abort: AbortController;
    /** Of segments. */
    let calls: ReturnType<typeof countSessionCalls>;
    beforeEach(async () => {
      session = await SegmentedSession.open(segments(), options);
      abort = new AbortController();
      calls = countSessionCalls();
    });
    afterEach(() => {
      calls.stop();
      return session.close();
    });

    it('of many, two are computed in the first segment and none in the next', async () => {
      const results = Array.from({ length: 5 }, (_, x) => session.run(feeds(x), { signal: abort.signal }));
      await nextTurn();
      abort.abort(new Error('enough'));
      for (const result of await Promise.allSettled(results)) assert.equal(result.status, 'rejected');
      assert.equal(calls.sent, 2);
    });

    it('one goes no further than its segment, and others go on', async () => {
      const cancelled = session.run(feeds(1), { signal: abort.signal });
      await nextTurn();
      abort.abort(new Error('enough'));
      await assert.rejects(cancelled, /enough/);
      assert.equal(calls.sent, 1);
      assert.deepEqual([...(await session.run(feeds(1)))], [3]);
      assert.equal(calls.sent, 3);
    });
  });

  it('closes what it loaded when a segment is refused', async () => {
    const [good, bad] = segments();
    const { close } = SessionThread.prototype;
    let closed = 0;
    SessionThread.prototype.close = function () {
      closed += 1;
      return close.call(this);
    };
    try {
      const broken = { ...bad!, bytes: Uint8Array.of(1, 2, 3) };
      await assert.rejects(SegmentedSession.open([good!, broken], options), ModelError);
      assert.equal(closed, 1);
    } finally {
      SessionThread.prototype.close = close;
    }
  });
});
