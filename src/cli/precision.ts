import type { DeviceKind } from '../contract/devices.js';
import { DeviceError, OptionError } from '../contract/failures.js';
import type { Precision } from '../contract/models.js';
import { cacheFolderPath } from '../io/user-folders.js';
import { isVerified } from '../model/stamp.js';

/** What products are computed in where nobody says: on a GPU in what it is built for. */
export function defaultPrecision(device: DeviceKind): Precision {
  return device === 'cpu' ? 'fp32' : 'fp16';
}

/** Says on standard error what a GPU computes in because nobody said. */
export function sayDefaultPrecision(device: DeviceKind): void {
  if (device === 'cpu') return;
  process.stderr.write(`Precision: ${defaultPrecision(device)}, the default on a GPU; --precision gives another\n`);
}

/**
 * Checks that devices compute in what is asked for: nothing falls back to another precision.
 * @param noFp16 which of the devices cannot compute in fp16, and why, where that is known.
 * @throws OptionError for int8 on a GPU and fp16 on a CPU, which gain nothing; DeviceError for a GPU without fp16.
 */
export function assertPrecisionFits(
  precision: Precision,
  { kind, noFp16 }: { kind: DeviceKind; noFp16?: string | undefined },
): void {
  if (precision === 'int8' && kind !== 'cpu') {
    throw new OptionError({
      what: `int8 is for CPU lanes, --device is ${kind}`,
      next: 'Give --precision fp16 or fp32, or -d cpu',
    });
  }
  if (precision === 'fp16' && kind === 'cpu') {
    throw new OptionError({
      what: 'fp16 is for GPU lanes, and the device is cpu, where it gains nothing',
      next: 'Give --precision fp32 or int8, or a GPU (-d)',
    });
  }
  if (precision === 'fp16' && noFp16 !== undefined) {
    throw new DeviceError({
      what: `fp16, the default on a GPU, cannot be used: ${noFp16}`,
      next: 'Give --precision fp32; virnucpro devices lists what each device can do',
    });
  }
}

/**
 * Says on standard error that a model was never verified at a lower precision, and how to do that.
 * @param digest its content digest ({@link encoderDigest}).
 */
export async function warnIfUnverified(model: string, digest: string, precision: Precision): Promise<void> {
  if (precision === 'fp32' || (await isVerified(digest, precision, cacheFolderPath()))) return;
  const on = precision === 'fp16' ? ' -d DEVICE' : '';
  process.stderr.write(
    `warning: ${model} was not verified in ${precision} on this machine: ` +
      `virnucpro models verify ${model} --precision ${precision}${on}\n`,
  );
}
