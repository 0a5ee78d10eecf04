import type { DeviceKind } from '../contract/devices.js';
import { DEVICE_TOLERANCE } from '../contract/defaults.js';
import { DeviceError } from '../contract/failures.js';
import type { EncoderGraph, GraphForm } from '../model/graph/encoder.js';
import type { Model } from '../model/model.js';
import { encoderFeeds } from './feeds.js';
import { relativeError } from './relative-error.js';
import { SessionThread } from './session-thread.js';

/** One layer has every operator at the model's own sizes, and takes seconds of a CPU also of the largest. */
const LAYERS = 1;

/** Tokens of the sequences of one call: padding, and more than the 32 from which on a wrong kernel was seen. */
const LENGTHS = [5, 70];

/** The form that a device's graph must have. */
export function graphFormFor(device: DeviceKind): GraphForm {
  return device === 'webgpu' ? { plainAttention: true } : {};
}

/**
 * Has a device compute a model's first layer, and compares each token's vector with the CPU's.
 * @param threads CPU threads for that.
 * @throws DeviceError when the device cannot be used or its vectors are off by more than {@link DEVICE_TOLERANCE}.
 */
export async function proveDevice(model: Model, device: DeviceKind, threads: number): Promise<void> {
  const { vocabulary, hidden } = model.dims;
  const tokens = LENGTHS.map((length) => Int32Array.from({ length }, (_, i) => (7 * i + 3) % vocabulary));
  const compute = async (on: DeviceKind): Promise<Float32Array> => {
    const graph: EncoderGraph = await model.graphAs({ ...graphFormFor(on), mostLayers: LAYERS });
    const { weightsFolder } = model;
    const options = { device: on, threads, spinning: false };
    const session = await SessionThread.open({ bytes: graph.bytes, weightsFolder }, options);
    try {
      return await session.run(encoderFeeds(graph, tokens));
    } finally {
      await session.close();
    }
  };
  const wanted = await compute('cpu');
  const found = await compute(device);
  const longest = Math.max(...LENGTHS);
  const errors = LENGTHS.flatMap((length, row) =>
    Array.from({ length }, (_, token) => {
      const at = (row * longest + token) * hidden;
      return relativeError(found.subarray(at, at + hidden), wanted.subarray(at, at + hidden));
    }),
  );
  assertAlike(device, errors);
}

/** @throws DeviceError when the largest of a device's errors is too large. */
export function assertAlike(device: DeviceKind, errors: readonly number[]): void {
  const worst = Math.max(...errors);
  // NaN is not within it.
  if (worst <= DEVICE_TOLERANCE) return;
  throw new DeviceError({
    what: `it computes other vectors than the CPU: off by ${worst.toPrecision(2)}, allowed is ${DEVICE_TOLERANCE}`,
    where: device,
    next: 'Use another device, or another driver; docs/devices.md says what is compared',
  });
}
