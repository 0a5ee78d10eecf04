import type { DeviceKind } from '../contract/devices.js';
import { OptionError } from '../contract/failures.js';
import type { Precision } from '../contract/models.js';
import { cacheFolderPath } from '../io/user-folders.js';
import { isVerified } from '../model/stamp.js';

/** @throws OptionError for int8 on a GPU: its products are as fast as they are on CPUs only, and untried elsewhere. */
export function assertPrecisionFits(precision: Precision, device: DeviceKind): void {
  if (device === 'cpu' || precision === 'fp32') return;
  throw new OptionError({
    what: `${precision} is for CPU lanes, --device is ${device}`,
    next: 'Give --precision fp32 or -d cpu',
  });
}

/**
 * Says on standard error that a model was never verified at a lower precision, and how to do that.
 * @param digest its content digest ({@link encoderDigest}).
 */
export async function warnIfUnverified(model: string, digest: string, precision: Precision): Promise<void> {
  if (precision === 'fp32' || (await isVerified(digest, precision, cacheFolderPath()))) return;
  process.stderr.write(
    `warning: ${model} was not verified in ${precision} on this machine: ` +
      `virnucpro models verify ${model} --precision ${precision}\n`,
  );
}
