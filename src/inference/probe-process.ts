/**
 * Has one device compute a small graph, compares with the CPU and tells its parent (probe.ts) how that went. A process of
 * its own, started with the device pinned in its environment: drivers may crash or hang, and read the environment once.
 */
import type { DeviceKind } from '../contract/devices.js';
import { GraphBuilder } from '../model/graph/builder.js';
import type { Probed } from './probe.js';
import { openOrtBackend } from './ort-backend.js';
import { assertAlike } from './prove-device.js';
import { relativeError } from './relative-error.js';

const ROWS = 48;
const COLUMNS = 64;

/** softmax(x · Wᵀ) · W, with numbers between -1 and 1. */
function smallGraph(): Uint8Array {
  const g = new GraphBuilder((file) => file);
  const x = g.input('x', 'float32', [ROWS, COLUMNS]);
  const weight = g.constant(numbers(COLUMNS * COLUMNS, 12.9898), [COLUMNS, COLUMNS]);
  const product = g.op('Gemm', [x, weight], { transB: 1 });
  g.op('MatMul', [g.op('Softmax', [product], { axis: -1 }), weight], {}, 'y');
  g.output('y', 'float32', [ROWS, COLUMNS]);
  return g.build();
}

function numbers(count: number, step: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(i * step));
}

async function compute(device: DeviceKind): Promise<{ y: Float32Array; provider: string }> {
  const graph = { bytes: smallGraph(), weightsFolder: process.cwd() };
  const backend = await openOrtBackend(graph, { device, threads: 1, spinning: false });
  const y = await backend.run({ x: { type: 'float32', dims: [ROWS, COLUMNS], data: numbers(ROWS * COLUMNS, 78.233) } });
  const provider = backend.describe();
  await backend.release();
  return { y, provider };
}

async function probe(device: DeviceKind): Promise<Probed> {
  try {
    const { y, provider } = await compute(device);
    assertAlike(device, [relativeError(y, (await compute('cpu')).y)]);
    return { provider };
  } catch (error) {
    return { missing: (error as { what?: string }).what ?? String(error) };
  }
}

const probed = await probe(process.argv[2] as DeviceKind);
process.send!(probed, () => process.disconnect());
