import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ArtifactRef } from '../contract/artifacts.js';
import { S3_PARTS } from '../contract/defaults.js';
import { ArtifactInvalid, InternalError } from '../contract/failures.js';
import type { ArtifactStore } from './artifact-store.js';
import { atOnce } from './at-once.js';
import { sha256OfFile } from './local-store.js';
import { sharedS3Connection } from './s3-client.js';
import { S3Objects } from './s3-objects.js';
import { Scratch } from './scratch.js';
import { type S3Address, isPlainKey, parseS3Uri, s3Uri } from './store-uri.js';

/**
 * Artifacts as objects below `s3://bucket/prefix`, and copies of them on each host's {@link Scratch}. An object carries the
 * digest of its bytes, so that a host finds its copy, and knows damage, without reading it from the store.
 */
export class S3Store implements ArtifactStore {
  private readonly root: S3Address;

  /** @throws OptionError when `uri` is no such place. */
  constructor(
    uri: string,
    private readonly objects = new S3Objects(sharedS3Connection),
    private readonly scratch = Scratch.ofThisHost(),
  ) {
    this.root = parseS3Uri(uri);
  }

  async put(key: string, write: (localPath: string) => Promise<number>): Promise<ArtifactRef> {
    const address = this.resolve(key);
    return this.scratch.withFolder(async (folder) => {
      const file = path.join(folder, path.basename(key));
      const records = await write(file);
      const facts = await factsOf(file);
      await this.objects.upload(address, file, facts);
      await this.scratch.keep(file, facts.sha256);
      return { uri: s3Uri(address), ...facts, records };
    });
  }

  async putFolder<T>(key: string, write: (folder: string) => Promise<T>): Promise<T> {
    return this.scratch.withFolder(async (folder) => {
      const result = await write(folder);
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
      await atOnce(S3_PARTS.atOnce, files, async (file) => {
        await this.publish(key + path.relative(folder, file).replaceAll(path.sep, '/'), file);
      });
      return result;
    });
  }

  async publish(key: string, file: string): Promise<ArtifactRef> {
    const address = this.resolve(key);
    const facts = await factsOf(file);
    await this.objects.upload(address, file, facts);
    return { uri: s3Uri(address), ...facts, records: 0 };
  }

  async get(ref: ArtifactRef): Promise<string> {
    const address = this.within(ref.uri);
    const copy = (await this.scratch.find(ref.sha256)) ?? (await this.fetch(address));
    const sha256 = copy === undefined ? 'no whole object' : path.basename(copy);
    if (copy !== undefined && sha256 === ref.sha256) return copy;
    throw new ArtifactInvalid({
      what: `artifact has sha256 ${sha256}, expected ${ref.sha256}`,
      where: ref.uri,
      next: 'It will be made again',
    });
  }

  async peek(key: string): Promise<string | undefined> {
    const address = this.resolve(key);
    const there = await this.objects.look(address);
    if (there === undefined) return undefined;
    const copy = there.sha256 === undefined ? undefined : await this.scratch.find(there.sha256);
    return copy ?? this.fetch(address);
  }

  async describe(key: string, records: number): Promise<ArtifactRef> {
    const file = await this.peek(key);
    const uri = this.locate(key);
    if (file !== undefined) return { uri, ...(await factsOf(file)), records };
    throw new ArtifactInvalid({ what: 'artifact is missing', where: uri, next: 'It will be made again' });
  }

  async holds(key: string, { sha256, bytes }: Pick<ArtifactRef, 'sha256' | 'bytes'>): Promise<boolean> {
    const there = await this.objects.look(this.resolve(key));
    return there?.sha256 === sha256 && there.bytes === bytes;
  }

  async list(key: string): Promise<string[]> {
    const root = this.folder('').key;
    return (await this.objects.list(this.folder(key))).map((found) => found.slice(root.length));
  }

  async remove(key: string): Promise<void> {
    const { bucket } = this.root;
    const below = (await this.objects.list(this.folder(key))).map((found) => ({ bucket, key: found }));
    await this.objects.remove(key.endsWith('/') ? below : [this.resolve(key), ...below]);
  }

  async removeUnpublished(key: string): Promise<void> {
    await this.objects.abortUploads(this.folder(key));
  }

  locate(key: string): string {
    return s3Uri({ bucket: this.root.bucket, key: this.folder(key).key.replace(/\/$/, '') });
  }

  freeBytes(): Promise<number> {
    return Promise.resolve(Infinity);
  }

  /**
   * Reads an object; its copy is named by its digest. Undefined when there is none, or none whole: one that twice is not what it says
   * of itself is removed, or hosts that have a copy of what it was would go on taking it for whole.
   */
  private async fetch(address: S3Address): Promise<string | undefined> {
    return this.scratch.withFolder(async (folder) => {
      const file = path.join(folder, 'object');
      for (const isLast of [false, true]) {
        const arrived = await this.objects.download(address, file);
        if (arrived === undefined) return undefined;
        const { sha256, published = sha256 } = arrived;
        if (sha256 === published) return this.scratch.keep(file, sha256);
        // Who may only read leaves it to others.
        if (isLast) await this.objects.remove([address]).catch(() => {});
      }
      return undefined;
    });
  }

  private resolve(key: string): S3Address {
    if (!isPlainKey(key)) throw new InternalError(`key leaves the store: ${key}`);
    return { bucket: this.root.bucket, key: this.root.key === '' ? key : `${this.root.key}/${key}` };
  }

  /** The address that everything below `key` starts with. */
  private folder(key: string): S3Address {
    const { bucket } = this.root;
    if (key === '') return { bucket, key: this.root.key === '' ? '' : `${this.root.key}/` };
    return { bucket, key: `${this.resolve(key.replace(/\/$/, '')).key}/` };
  }

  /** The address of a reference of this store. */
  private within(uri: string): S3Address {
    const address = parseS3Uri(uri);
    if (address.bucket === this.root.bucket && address.key.startsWith(this.folder('').key)) return address;
    throw new InternalError(`reference leaves the store: ${uri}`);
  }
}

async function factsOf(file: string): Promise<Pick<ArtifactRef, 'sha256' | 'bytes'>> {
  return { sha256: await sha256OfFile(file), bytes: (await stat(file)).size };
}
