import type { DeviceKind } from '../contract/devices.js';
import { DEVICE_TOLERANCE } from '../contract/defaults.js';
import { DeviceError, VirnucproError } from '../contract/failures.js';
import type { GpuPrecision, Precision } from '../contract/models.js';
import type { GraphForm } from '../model/graph/encoder.js';
import type { Model } from '../model/model.js';
import { encoderFeeds } from './feeds.js';
import { loadableSegments } from './loadable-segments.js';
import { relativeError } from './relative-error.js';
import { SegmentedSession } from './segmented-session.js';

/** One layer has every operator at the model's own sizes, and takes seconds of a CPU also of the largest. */
const LAYERS = 1;

/** Tokens of the sequences of one call: padding, and more than the 32 from which on a wrong kernel was seen. */
const LENGTHS = [5, 70];

/** The form that a device's graph must have. */
export function graphFormFor(device: DeviceKind): GraphForm {
  return device === 'webgpu' ? { plainAttention: true } : {};
}

/** {@link DEVICE_TOLERANCE} of a precision. int8 is for CPUs only, where vectors are the same to the bit. */
export function toleranceOf(precision: Precision): number {
  return DEVICE_TOLERANCE[precision === 'fp16' ? 'fp16' : 'fp32'];
}

/**
 * Has a device compute a model's first layer in the model's precision, and compares each token's vector with the CPU's in fp32.
 * @param threads CPU threads for that.
 * @throws DeviceError when the device cannot be used, or not at that precision, or its vectors are off by more than
 *   {@link DEVICE_TOLERANCE}.
 */
export async function proveDevice(
  model: Model,
  device: DeviceKind,
  { threads, cacheDir }: { threads: number; cacheDir: string },
): Promise<void> {
  const { vocabulary, hidden } = model.dims;
  const precision = model.precision === 'fp16' ? 'fp16' : 'fp32';
  const tokens = LENGTHS.map((length) => Int32Array.from({ length }, (_, i) => (7 * i + 3) % vocabulary));
  const compute = async (on: DeviceKind, at: GpuPrecision): Promise<Float32Array> => {
    const graph = await model.graphAs({ ...graphFormFor(on), precision: at, mostLayers: LAYERS });
    const options = { device: on, threads, spinning: false };
    const session = await SegmentedSession.open(await loadableSegments(model, graph, cacheDir, 1), options);
    try {
      return await session.run(encoderFeeds(graph, tokens));
    } finally {
      await session.close();
    }
  };
  const wanted = await compute('cpu', 'fp32');
  const found = await compute(device, precision).catch((error: unknown) => {
    throw precision === 'fp16' ? withoutFp16(device, error) : error;
  });
  const longest = Math.max(...LENGTHS);
  const errors = LENGTHS.flatMap((length, row) =>
    Array.from({ length }, (_, token) => {
      const at = (row * longest + token) * hidden;
      return relativeError(found.subarray(at, at + hidden), wanted.subarray(at, at + hidden));
    }),
  );
  assertAlike(device, errors, precision);
}

/** @throws DeviceError when the largest of a device's errors is too large for what it computed in. */
export function assertAlike(device: DeviceKind, errors: readonly number[], precision: GpuPrecision): void {
  const worst = Math.max(...errors);
  // NaN is not within it.
  if (worst <= DEVICE_TOLERANCE[precision]) return;
  const [inFp16, first] = precision === 'fp16' ? [' in fp16', 'Give --precision fp32'] : ['', 'Use another device'];
  throw new DeviceError({
    what:
      `it computes other vectors${inFp16} than the CPU: off by ${worst.toPrecision(2)}, ` +
      `allowed is ${DEVICE_TOLERANCE[precision]}`,
    where: device,
    next: `${first}, or another driver; docs/devices.md says what is compared`,
  });
}

/** A device without 16-bit numbers says so only when it is to compute with them, in words of its own. */
function withoutFp16(device: DeviceKind, error: unknown): unknown {
  if (error instanceof VirnucproError) return error;
  return new DeviceError({
    what: `it cannot compute in fp16: ${reasonOf(error)}`,
    where: device,
    next: 'Give --precision fp32; virnucpro devices lists what each device can do',
    cause: error,
  });
}

/** What onnxruntime says after the names of its own code. */
export function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return /requires f16 but the device does not support it/.test(message)
    ? 'the device has no 16-bit numbers in shaders (shader-f16)'
    : message.trim();
}
