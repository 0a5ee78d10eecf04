import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Precision } from '../contract/models.js';
import { exists } from '../io/exists.js';
import { writeAtomically } from '../io/local-store.js';

/**
 * Whether a model was verified at a precision on this machine.
 * @param digest its content digest ({@link encoderDigest}).
 */
export function isVerified(digest: string, precision: Precision, cacheDir: string): Promise<boolean> {
  return exists(stampFile(digest, precision, cacheDir));
}

/** Writes down that a model was found good at a precision, and returns where. */
export async function writeStamp(
  digest: string,
  precision: Precision,
  cacheDir: string,
  content: object,
): Promise<string> {
  const file = stampFile(digest, precision, cacheDir);
  await writeAtomically(file, (temporary) => writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`));
  return file;
}

/** Takes a stamp back: what was found good is found bad now. */
export function removeStamp(digest: string, precision: Precision, cacheDir: string): Promise<void> {
  return rm(stampFile(digest, precision, cacheDir), { force: true });
}

function stampFile(digest: string, precision: Precision, cacheDir: string): string {
  return path.join(cacheDir, 'verified', precision === 'fp32' ? `${digest}.json` : `${digest}-${precision}.json`);
}
