import { createHash } from 'node:crypto';
import path from 'node:path';
import { checkpointDigest } from './checkpoint/digest.js';
import type { Checkpoint } from './checkpoint/types.js';
import type { Model } from './model.js';

/**
 * Hex SHA-256 over all that decides an encoder's values: its weights, tokenizer and config. 11 GB are read once; their
 * digest is remembered in `cacheDir`.
 * @throws ModelError when it cannot be read.
 */
export async function encoderDigest({ checkpoint, digest }: Model, cacheDir: string): Promise<string> {
  const weights = await weightsDigest(checkpoint, cacheDir);
  return createHash('sha256').update(`${weights} ${digest}`).digest('hex');
}

/**
 * Hex SHA-256 over a checkpoint's weights alone, which is all there is to a classifier.
 * @throws ModelError when it cannot be read.
 */
export function weightsDigest(checkpoint: Checkpoint, cacheDir: string): Promise<string> {
  return checkpointDigest(checkpoint, path.join(cacheDir, 'digests'));
}
