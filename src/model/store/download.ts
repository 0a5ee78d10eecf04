import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { ModelError, VirnucproError } from '../../contract/failures.js';
import { byteText } from '../../io/figure-text.js';
import { sha256OfFile, toStorageError } from '../../io/local-store.js';
import { type Hub, type HubFile, PassingTrouble, RANGE_NOT_THERE, passing, request } from './hub.js';
import { type Bearing, withPatience } from './patience.js';

export interface DownloadOptions extends Bearing {
  /** Called with how many bytes are there, from what an earlier try left on. */
  onBytes?: (done: number) => void;
  /** Asked before anything is written; throws when this process may not any more. */
  mayWrite: () => Promise<void>;
}

/** Bytes of a file that are on disk, complete or not. */
export async function bytesThere(target: string): Promise<number> {
  return (await sizeOf(target)) ?? (await sizeOf(partOf(target))) ?? 0;
}

/**
 * Downloads a file as `target.part`, going on where an earlier try stopped, and moves it to `target` when it is whole
 * and has the digest that the hub lists. A `target` that is there has passed that.
 * @throws ModelError when the server gives another file, refuses, or breaks off again and again; StorageError; the
 *   signal's reason.
 */
export async function downloadFile(
  hub: Hub,
  url: string,
  file: HubFile,
  target: string,
  options: DownloadOptions,
): Promise<void> {
  const { onBytes, mayWrite } = options;
  if ((await sizeOf(target)) !== undefined) {
    onBytes?.(file.bytes);
    return;
  }
  const part = partOf(target);
  const attempt = (): Promise<void> => fetchRest(hub, url, file, part, options);
  const position = (): Promise<number> => bytesThere(target);
  await withPatience(attempt, { where: url, position }, options);
  if (!(await hasListedDigest(part, file))) {
    await rm(part);
    throw wrongFile(url, `what came for ${file.name} has not the digest that the hub lists`);
  }
  await mayWrite();
  await rename(part, target);
}

/** One request for what is still missing. */
async function fetchRest(hub: Hub, url: string, file: HubFile, part: string, options: DownloadOptions): Promise<void> {
  const { signal, onBytes, mayWrite } = options;
  let done = (await sizeOf(part)) ?? 0;
  if (done > file.bytes) {
    await rm(part);
    done = 0;
  }
  onBytes?.(done);
  if (done === file.bytes && done > 0) return;
  const response = await request(hub, url, done > 0 ? { range: `bytes=${done}-` } : {}, signal);
  if (response.status === RANGE_NOT_THERE) {
    await rm(part);
    throw new PassingTrouble('the server has less of it than an earlier try brought');
  }
  try {
    if (done > 0 && !startsAt(response, done)) done = 0;
    const offered = done + Number(response.headers.get('content-length') ?? file.bytes - done);
    if (offered !== file.bytes) throw otherSize(url, file, offered);
    const handle = await open(part, done > 0 ? 'a' : 'w');
    try {
      for await (const piece of response.body ?? []) {
        await mayWrite();
        if (done + piece.length > file.bytes) throw otherSize(url, file, done + piece.length);
        await handle.writeFile(piece);
        done += piece.length;
        onBytes?.(done);
      }
    } finally {
      await handle.sync().finally(() => handle.close());
    }
  } catch (error) {
    await response.body?.cancel().catch(() => {});
    if (error instanceof ModelError) await rm(part, { force: true });
    const known = toStorageError(error, part);
    throw known instanceof VirnucproError ? known : passing(error, signal);
  }
  if (done < file.bytes) throw new PassingTrouble(`the server ended after ${done} of ${file.bytes} bytes`);
}

/** Whether the answer to a request for a range is that range; a server that knows no ranges sends all. */
function startsAt({ status, headers }: Response, offset: number): boolean {
  return status === 206 && (headers.get('content-range') ?? '').startsWith(`bytes ${offset}-`);
}

async function hasListedDigest(part: string, { sha256, gitOid }: HubFile): Promise<boolean> {
  if (sha256 !== undefined) return (await sha256OfFile(part)) === sha256;
  return gitOid === undefined || (await gitOidOf(part)) === gitOid;
}

/** Git's name of a file's content: SHA-1 over `blob <bytes>\0` and the content. */
async function gitOidOf(file: string): Promise<string> {
  const hash = createHash('sha1').update(`blob ${(await stat(file)).size}\0`);
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

function otherSize(url: string, file: HubFile, bytes: number): ModelError {
  return wrongFile(
    url,
    `the server has ${bytes} bytes for ${file.name}, the hub lists ${byteText(file.bytes)} (${file.bytes})`,
  );
}

function wrongFile(where: string, what: string): ModelError {
  return new ModelError({
    what,
    where,
    next: 'Nothing of it is kept. Repeat the command; if it stays so, use another mirror (HF_ENDPOINT) or the hub itself',
  });
}

function partOf(target: string): string {
  return `${target}.part`;
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ size }) => size,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw toStorageError(error, file);
    },
  );
}
