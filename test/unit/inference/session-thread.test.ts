import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import type { Worker } from 'node:worker_threads';
import {
  InternalError,
  ModelError,
  NonFiniteEmbedding,
  OutOfMemory,
  VirnucproError,
} from '../../../src/contract/failures.js';
import { SessionThread } from '../../../src/inference/session-thread.js';
import { fromFailure, toFailure } from '../../../src/inference/thread-messages.js';
import { GraphBuilder } from '../../../src/model/graph/builder.js';

const options = { threads: 1, spinning: false };

/** y = x + x, and a product that has no room in any memory. */
function graph(huge: boolean): { bytes: Uint8Array; weightsFolder: string } {
  const g = new GraphBuilder((file) => file);
  const x = g.input('x', 'float32', ['n']);
  const y = huge ? g.op('Expand', [x, g.int64s(1 << 30, 1 << 16)]) : x;
  g.op('Add', [y, y], {}, 'y');
  g.output('y', 'float32', huge ? ['m', 'n'] : ['n']);
  return { bytes: g.build(), weightsFolder: tmpdir() };
}

const feeds = (): { x: { type: 'float32'; dims: number[]; data: Float32Array } } => ({
  x: { type: 'float32', dims: [1], data: Float32Array.of(21) },
});

describe('SessionThread', () => {
  it('runs calls in order and waits for them when it closes', async () => {
    const session = await SessionThread.open(graph(false), options);
    assert.match(session.provider, /^onnxruntime \d+\.\d+\.\d+ cpu$/);
    const first = session.run(feeds());
    const second = session.run(feeds());
    await Promise.all([session.close(), session.close()]);
    assert.deepEqual([await first, await second], [Float32Array.of(42), Float32Array.of(42)]);
    await assert.rejects(session.run(feeds()), InternalError);
  });

  it('passes errors on as their class', async () => {
    await assert.rejects(
      SessionThread.open({ bytes: Uint8Array.of(1, 2, 3), weightsFolder: tmpdir() }, options),
      ModelError,
    );
    const session = await SessionThread.open(graph(true), options);
    await assert.rejects(session.run(feeds()), OutOfMemory);
    await session.close();
  });

  it('fails calls under way and later ones when its thread is gone, and still closes', async () => {
    const session = await SessionThread.open(graph(false), options);
    const { thread } = session as unknown as { thread: Worker };
    await thread.terminate();
    await assert.rejects(session.run(feeds()), /session thread ended/);
    await session.close();
  });

  it('keeps what an error says', () => {
    const error = new NonFiniteEmbedding({ what: 'NaN', where: 'sequence 3', next: 'Wait' });
    const back = fromFailure(structuredClone(toFailure(error)));
    assert.ok(back instanceof NonFiniteEmbedding);
    assert.deepEqual([back.what, back.where, back.next, back.stack], ['NaN', 'sequence 3', 'Wait', error.stack]);
    const other = fromFailure(structuredClone(toFailure(new TypeError('x is undefined'))));
    assert.ok(!(other instanceof VirnucproError));
    assert.deepEqual([other.name, other.message], ['TypeError', 'x is undefined']);
  });
});
