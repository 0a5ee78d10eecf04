import type { Device } from '../contract/devices.js';
import type { Precision } from '../contract/models.js';
import { Embedder } from '../inference/embedder.js';
import { pinnedEnvironment } from '../inference/pinned-environment.js';
import { cacheFolderPath } from '../io/user-folders.js';
import { resolveModel } from '../model/catalogue.js';
import { encoderDigest } from '../model/content-digest.js';
import type { EncoderKind } from '../model/graph/encoder.js';
import { openModel } from '../model/model.js';
import type { NamedDevice } from './device-names.js';
import { assertPrecisionFits, defaultPrecision, sayDefaultPrecision, warnIfUnverified } from './precision.js';

/** What a command that embeds in its own process was told about the model and the device. */
export interface EmbedderChoice {
  /** By name, checkpoint folder or file. */
  model: string;
  /** Default: {@link defaultPrecision} of the device. */
  precision?: Precision | undefined;
  device: NamedDevice;
  threads: number;
  tokensPerCall?: number | undefined;
  /** See EmbedderOptions. */
  sequences?: (kind: EncoderKind) => Promise<number>;
}

/**
 * Loads a model into this process.
 * @throws OptionError when precision and device do not go together; what {@link resolveModel} and {@link Embedder.open} throw.
 */
export async function openEmbedder({
  model,
  device,
  precision: asked,
  threads,
  tokensPerCall,
  sequences,
}: EmbedderChoice): Promise<Embedder> {
  const { kind, index = 0 } = device;
  const precision = asked ?? defaultPrecision(kind);
  if (asked === undefined) sayDefaultPrecision(kind);
  assertPrecisionFits(precision, { kind });
  if (kind !== 'cpu') pinProcess({ kind, index });
  const { path, expected } = await resolveModel(model, process.env);
  if (precision !== 'fp32') {
    const digest = await encoderDigest(await openModel(path, cacheFolderPath()), cacheFolderPath());
    await warnIfUnverified(model, digest, precision);
  }
  return Embedder.open({
    model: path,
    precision,
    cacheDir: cacheFolderPath(),
    device: kind,
    threads,
    ...(sequences && { sequences }),
    ...(expected && { expected }),
    ...(tokensPerCall && { tokensPerCall }),
  });
}

/** Lets this process see that device alone: called before a driver looks. */
export function pinProcess(device: Pick<Device, 'kind' | 'index'>): void {
  Object.assign(process.env, pinnedEnvironment(process.env, device));
}
