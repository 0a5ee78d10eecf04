/**
 * CUDA devices that the CPU stands in for: loaded into a host's processes by NODE_OPTIONS=--import, it has the CPU
 * compute what onnxruntime is asked to compute on `cuda`, as FAKE_CUDA_FILE says. See fake-cuda-host.ts.
 */
import { readFileSync } from 'node:fs';
import type { InferenceSession } from 'onnxruntime-node';
import type { FakeCuda } from './fake-cuda-host.js';

type Session = typeof InferenceSession;

const file = process.env['FAKE_CUDA_FILE'];
const isLane = process.title.startsWith('virnucpro-lane');
if (file !== undefined && (isLane || process.argv[1]?.endsWith('probe-process.js'))) await changeRuntime(file);

async function changeRuntime(named: string): Promise<void> {
  const { InferenceSession: session } = (await import('onnxruntime-node')) as unknown as { InferenceSession: Session };
  const create = session.create.bind(session) as (
    bytes: Uint8Array,
    options: InferenceSession.SessionOptions,
  ) => Promise<InferenceSession>;
  const fake = async (bytes: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession> => {
    if (options.executionProviders?.[0] !== 'cuda') return create(bytes, options);
    const { devices, wrong = [] } = JSON.parse(readFileSync(named, 'utf8')) as FakeCuda;
    const device = Number(process.env['CUDA_VISIBLE_DEVICES']);
    if (!(device < devices)) throw new Error('CUDA failure 100: no CUDA-capable device is detected');
    const made = await create(bytes, { ...options, executionProviders: ['cpu'] });
    if (wrong.includes(device)) {
      const run = made.run.bind(made) as (feeds: InferenceSession.FeedsType) => Promise<InferenceSession.ReturnType>;
      const spoilt = async (feeds: InferenceSession.FeedsType): Promise<InferenceSession.ReturnType> => {
        const results = await run(feeds);
        for (const { data } of Object.values(results))
          (data as Float32Array).forEach((v, i, all) => (all[i] = v + 0.3));
        return results;
      };
      Object.assign(made, { run: spoilt });
    }
    return made;
  };
  Object.assign(session, { create: fake });
}
