import { createHash } from 'node:crypto';
import path from 'node:path';
import { checkpointDigest } from './checkpoint/digest.js';
import { openCheckpoint } from './checkpoint/open.js';
import { type Model, openModel } from './model.js';

/**
 * Hex SHA-256 over all that decides an encoder's values: its weights, tokenizer and config. 11 GB are read once; their
 * digest is remembered in `cacheDir`.
 * @throws ModelError when it is no encoder or cannot be read.
 */
export async function encoderDigest(source: string, cacheDir: string, opened?: Model): Promise<string> {
  const model = opened ?? (await openModel(source, cacheDir));
  const weights = await weightsDigest(source, cacheDir);
  return createHash('sha256').update(`${weights} ${model.digest}`).digest('hex');
}

/**
 * Hex SHA-256 over a checkpoint's weights alone, which is all there is to a classifier.
 * @throws ModelError when it cannot be read.
 */
export async function weightsDigest(source: string, cacheDir: string): Promise<string> {
  return checkpointDigest(await openCheckpoint(source), path.join(cacheDir, 'digests'));
}
