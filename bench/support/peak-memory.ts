import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EmbedderOptions } from '../../src/inference/embedder.js';

const EMBED_ONCE = fileURLToPath(new URL('./embed-once.js', import.meta.url));

/** Largest resident memory, in MB, of a process that loads a model and embeds sequences with it. */
export async function peakMemoryOf(options: EmbedderOptions, sequences: readonly string[]): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [EMBED_ONCE, JSON.stringify({ options, sequences })]);
  return Number(stdout);
}
