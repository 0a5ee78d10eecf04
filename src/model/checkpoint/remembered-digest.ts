import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../../contract/failures.js';
import { writeAtomically } from '../../io/local-store.js';
import { unreadable } from './checkpoint-file.js';

/** What a remembered digest is of; any difference makes it void. */
interface Identity {
  path: string;
  size: string;
  modifiedNanoseconds: string;
  inode: string;
}

/**
 * Hex SHA-256 of a file as `digestOf` reads it, or as `cacheFolder` remembers it of the same file.
 * @throws ModelError when the file cannot be read or changes meanwhile; what `digestOf` throws.
 */
export async function rememberedDigest(
  file: string,
  cacheFolder: string | undefined,
  digestOf: (file: string) => Promise<string>,
): Promise<string> {
  const identity = await identify(file);
  const cached = cacheFolder && path.join(cacheFolder, `${sha256(file).slice(0, 32)}.json`);
  const known = cached && (await recall(cached, identity));
  if (known) return known;
  const digest = await digestOf(file);
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
