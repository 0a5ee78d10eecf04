import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { LOCK_BEAT_MS, LOCK_STALE_MS } from '../../contract/defaults.js';
import { StorageError } from '../../contract/failures.js';
import { temporaryName, toStorageError } from '../../io/local-store.js';

const ownerSchema = z.object({ host: z.string(), pid: z.int(), token: z.string() });

/** Who holds a lock. */
export type LockOwner = z.infer<typeof ownerSchema>;

export interface LockOptions {
  /** Ends the waiting; its reason is thrown. */
  signal?: AbortSignal;
  /** Called once for each owner that is waited for. */
  onWait?: (owner: LockOwner | undefined) => void;
  beatMs?: number;
  staleMs?: number;
}

/**
 * The right to change one model of a cache, also among hosts that share its file system: a file that is created
 * exclusively and touched while it is held. It is taken over from an owner that is dead on this host, or that did not
 * touch it for `staleMs` by the waiting process's own clock; clocks of hosts differ. An owner that was suspended so long
 * finds that out before it writes anything ({@link confirm}).
 */
export class ModelLock {
  private confirmedAt = Date.now();
  private readonly beat: NodeJS.Timeout;

  private constructor(
    private readonly file: string,
    private readonly token: string,
    private readonly staleMs: number,
    beatMs: number,
  ) {
    // A beat that fails shows at the next confirm.
    this.beat = setInterval(() => void this.touch().catch(() => {}), beatMs).unref();
  }

  /**
   * Waits for the lock.
   * @throws StorageError when the file system refuses; the signal's reason.
   */
  static async take(file: string, options: LockOptions = {}): Promise<ModelLock> {
    const { beatMs = LOCK_BEAT_MS, staleMs = LOCK_STALE_MS, signal, onWait } = options;
    const mine: LockOwner = { host: await thisHost(), pid: process.pid, token: randomUUID() };
    let seen: Sight | undefined;
    let since = 0;
    for (;;) {
      signal?.throwIfAborted();
      if (await create(file, mine)) return new ModelLock(file, mine.token, staleMs, beatMs);
      const now = await look(file);
      if (now === undefined) continue;
      if (now.token !== seen?.token) onWait?.(now.owner);
      if (now.token !== seen?.token || now.touched !== seen.touched) since = Date.now();
      seen = now;
      if (isDead(now.owner, mine.host) || Date.now() - since > staleMs) await takeAway(file, now.token);
      else await sleep(Math.min(beatMs, staleMs) / 4, undefined, signal && { signal }).catch(() => {});
    }
  }

  /**
   * Makes sure that this process still holds the lock; costs nothing unless it was suspended.
   * @throws StorageError when another has taken it over.
   */
  async confirm(): Promise<void> {
    if (Date.now() - this.confirmedAt > this.staleMs / 2) await this.touch();
  }

  async release(): Promise<void> {
    clearInterval(this.beat);
    const now = await look(this.file).catch(() => undefined);
    if (now?.token === this.token) await rm(this.file, { force: true });
  }

  private async touch(): Promise<void> {
    const now = await look(this.file);
    if (now?.token !== this.token) {
      throw new StorageError({
        what: 'this process was suspended, and another took over its work on the model',
        where: this.file,
        next: 'Nothing is lost: repeat the command to see how far the other one is',
      });
    }
    const time = new Date();
    await utimes(this.file, time, time);
    this.confirmedAt = Date.now();
  }
}

/** Runs `use` while holding the lock. */
export async function withModelLock<T>(
  file: string,
  options: LockOptions,
  use: (lock: ModelLock) => Promise<T>,
): Promise<T> {
  const lock = await ModelLock.take(file, options);
  try {
    return await use(lock);
  } finally {
    await lock.release();
  }
}

/** What can be seen of a held lock. */
interface Sight {
  owner: LockOwner | undefined;
  /** Empty while its owner is just writing it. */
  token: string;
  touched: number;
}

async function create(file: string, owner: LockOwner): Promise<boolean> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(owner), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw toStorageError(error, file);
  }
}

async function look(file: string): Promise<Sight | undefined> {
  try {
    const [text, { mtimeMs }] = [await readFile(file, 'utf8'), await stat(file)];
    const owner = parseOwner(text);
    return { owner, token: owner?.token ?? '', touched: mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw toStorageError(error, file);
  }
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Two processes may find the same lock stale: a fresh one that the slower took by mistake is put back. */
async function takeAway(file: string, token: string): Promise<void> {
  const aside = temporaryName(file);
  try {
    await rename(file, aside);
    if ((await look(aside))?.token === token) await rm(aside);
    else await rename(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw toStorageError(error, file);
  }
}

function isDead(owner: LockOwner | undefined, host: string): boolean {
  if (owner?.host !== host) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** The host's name, and on Linux which processes a container sees: process numbers mean nothing beyond that. */
async function thisHost(): Promise<string> {
  return `${hostname()} ${await readlink('/proc/self/ns/pid').catch(() => '')}`.trim();
}
