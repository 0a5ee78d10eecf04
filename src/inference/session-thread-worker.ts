import { parentPort } from 'node:worker_threads';
import { InternalError } from '../contract/failures.js';
import type { Backend } from './backend.js';
import { openOrtBackend } from './ort-backend.js';
import { meanOfSpans } from './pooling.js';
import { type ThreadCall, type ThreadReply, type ThreadRequest, toFailure } from './thread-messages.js';

const port = parentPort!;
let backend: Backend | undefined;

async function answer(call: ThreadCall): Promise<string | Float32Array | undefined> {
  if (call.op === 'open') {
    backend = await openOrtBackend(call.graph, call.options);
    return backend.describe();
  }
  if (backend === undefined) throw new InternalError(`${call.op} before the model is loaded`);
  if (call.op === 'run') {
    const output = await backend.run(call.feeds);
    return call.pooling === undefined ? output : meanOfSpans(output, call.pooling);
  }
  await backend.release();
  return undefined;
}

// Calls may arrive while one is under way: each waits for its turn.
let turn: Promise<void> = Promise.resolve();

port.on('message', ({ id, ...call }: ThreadRequest) => {
  turn = turn
    .then(() => answer(call))
    .then(
      (value) => port.postMessage({ id, value } satisfies ThreadReply),
      (error: unknown) => port.postMessage({ id, failure: toFailure(error) } satisfies ThreadReply),
    );
});
