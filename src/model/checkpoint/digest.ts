import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../../contract/failures.js';
import { writeAtomically } from '../../io/local-store.js';
import { unreadable, withCheckpointFile } from './checkpoint-file.js';
import { fileKind } from './kind.js';
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
  for (const file of checkpoint.files) digests.push(await fileDigest(file, cacheFolder));
  return digests.length === 1 ? digests[0]! : sha256(digests.map((digest) => `${digest}\n`).join(''));
}

/** What a remembered digest is of; any difference makes it void. */
interface Identity {
  path: string;
  size: string;
  modifiedNanoseconds: string;
  inode: string;
}

async function fileDigest(file: string, cacheFolder: string | undefined): Promise<string> {
  const identity = await identify(file);
  const cached = cacheFolder && path.join(cacheFolder, `${sha256(file).slice(0, 32)}.json`);
  const known = cached && (await recall(cached, identity));
  if (known) return known;
  const digest = await readAndDigest(file);
  if (!sameIdentity(identity, await identify(file))) {
    throw new ModelError({
      what: 'file changed while it was read',
      where: file,
      next: 'Start again when it is complete',
    });
  }
  if (cached) await remember(cached, { ...identity, sha256: digest });
  return digest;
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

async function identify(file: string): Promise<Identity> {
  const status = await stat(file, { bigint: true }).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  return {
    path: file,
    size: String(status.size),
    modifiedNanoseconds: String(status.mtimeNs),
    inode: String(status.ino),
  };
}

function sameIdentity(a: Identity, b: Partial<Identity>): boolean {
  return (
    a.path === b.path && a.size === b.size && a.modifiedNanoseconds === b.modifiedNanoseconds && a.inode === b.inode
  );
}

/** A cache that cannot be read or written costs time, nothing else. */
async function recall(cached: string, identity: Identity): Promise<string | undefined> {
  try {
    const entry = JSON.parse(await readFile(cached, 'utf8')) as Partial<Identity> & { sha256?: unknown };
    const { sha256: digest } = entry;
    return sameIdentity(identity, entry) && typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest)
      ? digest
      : undefined;
  } catch {
    return undefined;
  }
}

/** As above. */
async function remember(cached: string, entry: Identity & { sha256: string }): Promise<void> {
  const text = `${JSON.stringify(entry, null, 2)}\n`;
  await writeAtomically(cached, (temporary) => writeFile(temporary, text)).catch(() => {});
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
