import './no-telemetry.js';
import * as ort from 'onnxruntime-node';
import { InternalError, ModelError, OutOfMemory } from '../contract/failures.js';
import type { Backend, BackendOptions, Feeds, LoadableGraph } from './backend.js';

/** Errors come back as exceptions; onnxruntime need not print them too. */
const FATAL_ONLY = 4;

/** The runtime that computes: vectors of another version may differ in their last bits. */
export const RUNTIME = `onnxruntime ${ort.env.versions.common}`;

/**
 * Loads a graph into onnxruntime on the CPU. Blocks the calling thread while it loads.
 * @throws ModelError when onnxruntime refuses the graph or its weights; OutOfMemory when they do not fit.
 */
export async function openOrtBackend(graph: LoadableGraph, options: BackendOptions): Promise<Backend> {
  const session = await ort.InferenceSession.create(graph.bytes, {
    executionProviders: ['cpu'],
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
    throw outOfMemory(error) ?? refused(error, graph);
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
    describe: () => `${RUNTIME} cpu`,
  };
}

/** onnxruntime reports lack of memory in words only. */
function outOfMemory(error: unknown): OutOfMemory | undefined {
  const message = (error as Error).message;
  if (!/bad_alloc|failed to allocate|out of memory/i.test(message)) return undefined;
  return new OutOfMemory({
    what: 'not enough memory for the model or this call',
    next: 'Use a smaller model or fewer lanes on this host',
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
