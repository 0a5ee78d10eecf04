import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { TensorEntry } from './checkpoint/types.js';

const SAMPLE_BYTES = 4096;

/**
 * Tells models apart without reading all of them: hex SHA-256 over `extra` and every tensor's name, type, shape and
 * first and last 4 KB. The same for every copy of a checkpoint on any host; retraining changes every tensor.
 */
export async function fingerprint(tensors: readonly TensorEntry[], extra: string): Promise<string> {
  const hash = createHash('sha256').update(extra);
  for (const file of new Set(tensors.map((tensor) => tensor.file))) {
    const handle = await open(file);
    try {
      for (const tensor of tensors.filter((one) => one.file === file)) {
        const { name, dtype, shape, offset, bytes } = tensor;
        hash.update(JSON.stringify([name, dtype, shape]));
        const length = Math.min(SAMPLE_BYTES, bytes);
        for (const position of [offset, offset + bytes - length]) {
          hash.update((await handle.read(Buffer.alloc(length), 0, length, position)).buffer);
        }
      }
    } finally {
      await handle.close();
    }
  }
  return hash.digest('hex');
}
