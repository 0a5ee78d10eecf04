/**
 * A lane's device as tests want it: loaded into the processes of a test host by NODE_OPTIONS=--import, it changes what
 * onnxruntime does on the session threads of lanes, as BEHAVIOUR_FILE says. The product knows nothing of it.
 */
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { BEHAVIOUR_FILE, type Behaviour, type Fault } from './lane-behaviour.js';

type RunCall = (this: InferenceSession, feeds: InferenceSession.FeedsType) => Promise<InferenceSession.ReturnType>;

const LOOK_MS = 100;

const file = process.env[BEHAVIOUR_FILE];
const [program, , device] = process.title.split(' ');
if (file !== undefined && isMainThread && process.argv[1]?.endsWith('lane-process.js')) {
  if (read(file).exitAtStart) process.exit(3);
}
if (file !== undefined && !isMainThread && program === 'virnucpro-lane') await changeRuntime(file);

function read(behaviourFile: string): Behaviour {
  return JSON.parse(readFileSync(behaviourFile, 'utf8')) as Behaviour;
}

async function changeRuntime(behaviourFile: string): Promise<void> {
  const { InferenceSession: session } = await import('onnxruntime-node');
  const { prototype } = session as unknown as { prototype: { run: RunCall } };
  const { run } = prototype;
  prototype.run = async function (feeds) {
    const findFault = (faults: Fault[] = []): Fault | undefined =>
      faults.find((f) => (f.device ?? device) === device && holds(feeds['input_ids'] as Tensor, f));
    let { callMs, faults } = read(behaviourFile);
    while (findFault(faults)?.then === 'wait') {
      block(LOOK_MS);
      ({ callMs, faults } = read(behaviourFile));
    }
    const fault = findFault(faults);
    block(callMs ?? 0);
    switch (fault?.then) {
      case 'abort':
        process.kill(process.pid, 'SIGABRT');
        block(Infinity);
        break;
      case 'hang':
        block(Infinity);
        break;
      case 'throw':
        throw new Error('test device: unspecified launch failure');
    }
    const results = await run.call(this, feeds);
    if (fault?.then === 'nan') for (const result of Object.values(results)) (result.data as Float32Array).fill(NaN);
    return results;
  };
}

/** Blocks the thread, as the runtime's own calls do. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function holds(ids: Tensor, { tokens }: Fault): boolean {
  if (tokens === undefined) return true;
  const [rows, width] = ids.dims as [number, number];
  const data = ids.data as Int32Array;
  return Array.from({ length: rows }, (_, row) => data.subarray(row * width, (row + 1) * width)).some((row) =>
    row.every((id, i) => id === (tokens[i] ?? 0)),
  );
}
