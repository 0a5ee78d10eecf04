/**
 * Has one device compute a small graph, compares with the CPU and tells its parent (probe.ts) how that went. A process of
 * its own, started with the device pinned in its environment: drivers may crash or hang, and read the environment once.
 */
import type { DeviceKind } from '../contract/devices.js';
import { VirnucproError } from '../contract/failures.js';
import type { GpuPrecision } from '../contract/models.js';
import { GraphBuilder } from '../model/graph/builder.js';
import type { Probed } from './probe.js';
import { openOrtBackend } from './ort-backend.js';
import { assertAlike, reasonOf } from './prove-device.js';
import { relativeError } from './relative-error.js';

const ROWS = 48;
const COLUMNS = 64;

/** softmax(x · Wᵀ) · W, with numbers between -1 and 1. */
function smallGraph(precision: GpuPrecision): Uint8Array {
  const g = new GraphBuilder((file) => file, precision);
  const x = g.input('x', 'float32', [ROWS, COLUMNS]);
  const weight = g.as('float16', g.constant(numbers(COLUMNS * COLUMNS, 12.9898), [COLUMNS, COLUMNS]));
  const product = g.as('float32', g.op('Gemm', [g.as('float16', x), weight], { transB: 1 }));
  const shares = g.as('float16', g.op('Softmax', [product], { axis: -1 }));
  g.op('Identity', [g.as('float32', g.op('MatMul', [shares, weight]))], {}, 'y');
  g.output('y', 'float32', [ROWS, COLUMNS]);
  return g.build();
}

function numbers(count: number, step: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(i * step));
}

async function compute(device: DeviceKind, precision: GpuPrecision): Promise<{ y: Float32Array; provider: string }> {
  const graph = { bytes: smallGraph(precision), weightsFolder: process.cwd() };
  const backend = await openOrtBackend(graph, { device, threads: 1, spinning: false });
  const y = await backend.run({ x: { type: 'float32', dims: [ROWS, COLUMNS], data: numbers(ROWS * COLUMNS, 78.233) } });
  const provider = backend.describe();
  await backend.release();
  return { y, provider };
}

async function probe(device: DeviceKind): Promise<Probed> {
  try {
    const wanted = (await compute('cpu', 'fp32')).y;
    const prove = async (precision: GpuPrecision): Promise<string> => {
      const { y, provider } = await compute(device, precision);
      assertAlike(device, [relativeError(y, wanted)], precision);
      return provider;
    };
    const provider = await prove('fp32');
    if (device === 'cpu') return { provider };
    const noFp16 = await prove('fp16').then(() => undefined, whatOf);
    return { provider, ...(noFp16 !== undefined && { noFp16 }) };
  } catch (error) {
    return { missing: whatOf(error) };
  }
}

function whatOf(error: unknown): string {
  return error instanceof VirnucproError ? error.what : reasonOf(error);
}

const probed = await probe(process.argv[2] as DeviceKind);
process.send!(probed, () => process.disconnect());
