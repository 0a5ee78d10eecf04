/**
 * A device that does not compute: loaded into lanes from outside, by NODE_OPTIONS=--import, it takes the place of
 * onnxruntime's calls on their session threads. The first call of a thread is real; it tells the shape of the rest.
 */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type { InferenceSession } from 'onnxruntime-node';
import { STUB, type Stub } from './stub.js';

type RunCall = (this: InferenceSession, feeds: InferenceSession.FeedsType) => Promise<InferenceSession.ReturnType>;

const stub = process.env[STUB];
if (stub !== undefined && !isMainThread && process.title.startsWith('virnucpro-lane ')) {
  await replaceRuntime(JSON.parse(stub) as Stub);
}

async function replaceRuntime({ callMs, callsDir }: Stub): Promise<void> {
  const { InferenceSession: session } = await import('onnxruntime-node');
  const { prototype } = session as unknown as { prototype: { run: RunCall } };
  const { run } = prototype;
  const callsFile = `${process.title.replace('virnucpro-lane ', '')} ${process.pid}.tsv`;
  let width: number | undefined;
  prototype.run = async function (feeds) {
    const name = this.outputNames[0]!;
    if (width === undefined) {
      const results = await run.call(this, feeds);
      width = results[name]!.dims.at(-1)!;
      return results;
    }
    const startedAt = now();
    if (callMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, callMs);
    const data = new Float32Array(feeds['input_ids']!.size * width);
    if (callsDir !== undefined) appendFileSync(path.join(callsDir, callsFile), `${startedAt}\t${now()}\n`);
    return { [name]: { data } } as unknown as InferenceSession.ReturnType;
  };
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
