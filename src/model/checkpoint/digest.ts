import { createHash } from 'node:crypto';
import { withCheckpointFile } from './checkpoint-file.js';
import { fileKind } from './kind.js';
import { rememberedDigest } from './remembered-digest.js';
import type { Checkpoint } from './types.js';
import { RecordChecksums, readZipRecords } from './zip.js';

/**
 * Hex SHA-256 over the weights: of one file, the file's own; of several, that of the lines `<hex SHA-256 of a file>\n`
 * in the order of `checkpoint.files`. Paths, file names and the index of a sharded checkpoint do not enter. The same pass
 * compares every record of a torch zip file with its checksum.
 * @param cacheFolder where to remember each file's digest by real path, size, modification time and inode, so that
 *   11 GB are read once.
 * @throws ModelError when a file cannot be read, changes meanwhile, or a record does not match its checksum.
 */
export async function checkpointDigest(checkpoint: Checkpoint, cacheFolder?: string): Promise<string> {
  const digests: string[] = [];
  for (const file of checkpoint.files) digests.push(await rememberedDigest(file, cacheFolder, readAndDigest));
  return digests.length === 1 ? digests[0]! : sha256(digests.map((digest) => `${digest}\n`).join(''));
}

async function readAndDigest(file: string): Promise<string> {
  return withCheckpointFile(file, async (open) => {
    const hash = createHash('sha256');
    const isZip = (await fileKind(open)) === 'torch-zip';
    const checksums = new RecordChecksums(isZip ? (await readZipRecords(open)).values() : [], file);
    for await (const piece of open.pieces(0, open.size)) {
      hash.update(piece);
      checksums.update(piece);
    }
    return hash.digest('hex');
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
