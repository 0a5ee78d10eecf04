import './no-telemetry.js';
import * as ort from 'onnxruntime-node';
import type { DeviceKind } from '../contract/devices.js';
import { DeviceError, InternalError, ModelError, OutOfMemory } from '../contract/failures.js';
import type { Backend, BackendOptions, Feeds, LoadableGraph } from './backend.js';

/** Errors come back as exceptions; onnxruntime need not print them too. */
const FATAL_ONLY = 4;
ort.env.logLevel = 'fatal';

/** The runtime that computes: vectors of another version may differ in their last bits. */
export const RUNTIME = `onnxruntime ${ort.env.versions.common}`;

/**
 * Loads a graph into onnxruntime. Blocks the calling thread while it loads.
 * @throws ModelError when the CPU refuses the graph or its weights; DeviceError when another device does, or is not
 *   there; OutOfMemory when they do not fit.
 */
export async function openOrtBackend(graph: LoadableGraph, options: BackendOptions): Promise<Backend> {
  const { device = 'cpu' } = options;
  const session = await ort.InferenceSession.create(graph.bytes, {
    executionProviders: [device],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    logSeverityLevel: FATAL_ONLY,
    // Shapes differ from call to call, so a plan made from one call does not fit the next.
    enableMemPattern: false,
    extra: {
      session: {
        model_external_initializers_file_folder_path: graph.weightsFolder,
        intra_op: { allow_spinning: options.spinning ? '1' : '0' },
      },
    },
  }).catch((error: unknown) => {
    throw outOfMemory(error) ?? (device === 'cpu' ? refused(error, graph) : unusable(error, device));
  });
  const output = session.outputNames[0];
  if (output === undefined) throw new InternalError('a graph without output');
  return {
    async run(feeds: Feeds): Promise<Float32Array> {
      const tensors = Object.fromEntries(
        Object.entries(feeds).map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)]),
      );
      const results = await session.run(tensors).catch((error: unknown) => {
        throw outOfMemory(error) ?? error;
      });
      return results[output]!.data as Float32Array;
    },
    release: () => session.release(),
    describe: () => `${RUNTIME} ${device}`,
  };
}

/** onnxruntime reports lack of memory in words only. */
function outOfMemory(error: unknown): OutOfMemory | undefined {
  const message = (error as Error).message;
  if (!/bad_alloc|failed to allocate|out of memory|ALLOC_FAILED/i.test(message)) return undefined;
  return new OutOfMemory({
    what: 'not enough memory for the model or this call',
    next: 'Use a smaller model, another device or fewer lanes on this host',
    cause: error,
  });
}

/** What onnxruntime says when a device or its provider is not there, and what that means. */
const ABSENT: [said: RegExp, means: string][] = [
  [/backend not found|is unsupported/, 'this build of onnxruntime has no such provider'],
  [/Failed to load shared library/, "onnxruntime's CUDA provider, CUDA 12 or cuDNN 9 is not installed"],
  [/Failed to get a WebGPU adapter/, 'no graphics driver offers a WebGPU device'],
];

function unusable(error: unknown, device: DeviceKind): DeviceError {
  const { message } = error as Error;
  return new DeviceError({
    what: ABSENT.find(([said]) => said.test(message))?.[1] ?? message.trim(),
    where: device,
    next: 'virnucpro devices lists what there is; docs/devices.md says what each device needs',
    cause: error,
  });
}

function refused(error: unknown, graph: LoadableGraph): ModelError {
  return new ModelError({
    what: `onnxruntime cannot load the model: ${(error as Error).message}`,
    where: graph.weightsFolder,
    next: 'Check that the checkpoint is complete and did not change while it was read',
    cause: error,
  });
}
