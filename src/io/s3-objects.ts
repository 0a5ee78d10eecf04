import { createReadStream } from 'node:fs';
import type * as Sdk from '@aws-sdk/client-s3';
import type { ArtifactRef } from '../contract/artifacts.js';
import { S3_PARTS, S3_REQUESTS_AT_ONCE } from '../contract/defaults.js';
import { atOnce } from './at-once.js';
import type { S3Connection } from './s3-client.js';
import { download } from './s3-download.js';
import { isEnded, isMissing, toS3Error } from './s3-errors.js';
import { type S3Address, s3Uri } from './store-uri.js';

/** The object's own metadata that says which bytes it was made of, in hex. */
const DIGEST = 'sha256';

/** What a store says of an object without sending it. */
export interface ObjectFacts {
  bytes: number;
  /** As it was written down when we published it; others' objects have none. */
  sha256: string | undefined;
}

/** Objects of an S3-compatible store, whichever bucket they are in. Every method throws {@link toS3Error}. */
export class S3Objects {
  constructor(private readonly connect: () => Promise<S3Connection>) {}

  /** What is known of an object, or undefined when there is none. */
  async look(address: S3Address): Promise<ObjectFacts | undefined> {
    return this.ask(address, async ({ client }, { HeadObjectCommand }) => {
      try {
        const { ContentLength, Metadata } = await client.send(new HeadObjectCommand(named(address)));
        return { bytes: ContentLength ?? 0, sha256: Metadata?.[DIGEST] };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  /**
   * Publishes a file as one object: it appears whole or not at all, a large one in parts.
   * @param facts of the file.
   */
  async upload(address: S3Address, file: string, facts: Pick<ArtifactRef, 'bytes' | 'sha256'>): Promise<void> {
    await this.ask(address, async ({ client }) => {
      const { Upload } = await import('@aws-sdk/lib-storage');
      const partSize = Math.max(S3_PARTS.bytes, Math.ceil(facts.bytes / S3_PARTS.most));
      const body = createReadStream(file, { highWaterMark: 1 << 20 });
      const params = {
        ...named(address),
        Body: body,
        ContentLength: facts.bytes,
        Metadata: { [DIGEST]: facts.sha256 },
      };
      try {
        await new Upload({ client, params, partSize, queueSize: S3_PARTS.atOnce }).done();
      } catch (error) {
        // The answer may have been lost, and not the object.
        const there = await this.look(address).catch(() => undefined);
        if (there?.sha256 !== facts.sha256 || there.bytes !== facts.bytes) throw error;
      } finally {
        body.destroy();
      }
    });
  }

  /**
   * Reads an object into a file, from where it was when a connection breaks.
   * @returns what arrived, or undefined when there is no such object.
   */
  async download(
    address: S3Address,
    file: string,
    signal?: AbortSignal,
  ): Promise<(Pick<ArtifactRef, 'bytes' | 'sha256'> & { published: string | undefined }) | undefined> {
    return this.ask(address, async (connection) => {
      try {
        const { metadata, ...arrived } = await download(connection, named(address), file, signal);
        return { ...arrived, published: metadata[DIGEST] };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  /** The first `bytes` of an object that has as many. */
  async start(address: S3Address, bytes: number): Promise<Uint8Array> {
    return this.ask(address, async ({ client }, { GetObjectCommand }) => {
      const { Body } = await client.send(new GetObjectCommand({ ...named(address), Range: `bytes=0-${bytes - 1}` }));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    });
  }

  /** Keys of all objects that start with the address's, sorted. */
  async list(prefix: S3Address): Promise<string[]> {
    return this.ask(prefix, async ({ client }, { paginateListObjectsV2 }) => {
      const keys: string[] = [];
      for await (const page of paginateListObjectsV2({ client }, { Bucket: prefix.bucket, Prefix: prefix.key })) {
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
      }
      return keys.sort();
    });
  }

  /** Removes objects; one that is not there is fine. One a request: not every store knows the request for many. */
  async remove(addresses: readonly S3Address[]): Promise<void> {
    await atOnce(S3_REQUESTS_AT_ONCE, addresses, (address) =>
      this.ask(address, async ({ client }, { DeleteObjectCommand }) => {
        try {
          await client.send(new DeleteObjectCommand(named(address)));
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      }),
    );
  }

  /** Ends uploads in parts that start with the address's key: their parts are kept, and paid for, for ever else. */
  async abortUploads(prefix: S3Address): Promise<void> {
    await this.ask(prefix, async ({ client }, { AbortMultipartUploadCommand, ListMultipartUploadsCommand }) => {
      const within = { Bucket: prefix.bucket, Prefix: prefix.key };
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(within));
      for (const { Key = '', UploadId } of Uploads) {
        if (!Key.startsWith(prefix.key)) continue;
        await client
          .send(new AbortMultipartUploadCommand({ Bucket: prefix.bucket, Key, UploadId }))
          .catch((error: unknown) => {
            if (!isEnded(error)) throw error;
          });
      }
    });
  }

  private async ask<T>(
    address: S3Address,
    request: (connection: S3Connection, sdk: typeof Sdk) => Promise<T>,
  ): Promise<T> {
    let server: string | undefined;
    try {
      const connection = await this.connect();
      ({ server } = connection);
      return await request(connection, await import('@aws-sdk/client-s3'));
    } catch (error) {
      throw toS3Error(error, server === undefined ? s3Uri(address) : `${s3Uri(address)} at ${server}`);
    }
  }
}

function named({ bucket, key }: S3Address): { Bucket: string; Key: string } {
  return { Bucket: bucket, Key: key };
}
