import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { S3Connection } from './s3-client.js';

/** What a download brought. */
export interface Downloaded {
  bytes: number;
  sha256: string;
  /** The object's own. */
  metadata: Record<string, string>;
}

/**
 * Streams an object into a file, digesting it on the way. A connection that breaks, or stays silent, is made again, from
 * the byte that it got to; tries count from the last byte that came.
 * @throws the SDK's error of the last try; the signal's reason.
 */
export async function download(
  { client, patience }: S3Connection,
  object: { Bucket: string; Key: string },
  file: string,
  signal?: AbortSignal,
): Promise<Downloaded> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const handle = await open(file, 'w');
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    // The rest must be of the same object.
    let version: { IfMatch?: string } = {};
    for (let tries = 1; ; tries++) {
      const before = bytes;
      let answered = false;
      try {
        const range = bytes > 0 ? { Range: `bytes=${bytes}-`, ...version } : {};
        const answer = await client.send(new GetObjectCommand({ ...object, ...range }));
        answered = true;
        if (answer.ETag !== undefined) version = { IfMatch: answer.ETag };
        const total = totalOf(answer, bytes);
        for await (const piece of answer.Body as Readable) {
          signal?.throwIfAborted();
          await handle.writeFile(piece as Buffer);
          hash.update(piece as Buffer);
          bytes += (piece as Buffer).length;
        }
        if (bytes !== total) throw broken(`it ended after ${bytes} of ${total} bytes`);
        return { bytes, sha256: hash.digest('hex'), metadata: answer.Metadata ?? {} };
      } catch (error) {
        if (bytes > before) tries = 1;
        // The SDK itself tries again until there is an answer.
        if ((bytes === 0 && !answered) || !isBroken(error) || tries >= patience.tries) throw error;
        await sleep(Math.min(patience.firstMs * 2 ** (tries - 1), patience.longestMs));
        signal?.throwIfAborted();
      }
    }
  } finally {
    await handle.close();
  }
}

/** Bytes of the whole object by an answer that starts at byte `from`. */
function totalOf({ ContentRange, ContentLength = 0 }: GetObjectCommandOutput, from: number): number {
  const [, start = '0', end] = /^bytes (\d+)-\d+\/(\d+)$/.exec(ContentRange ?? '') ?? [];
  if (Number(start) !== from) throw broken(`it was asked for bytes from ${from} on and sent them from ${start} on`);
  return end === undefined ? ContentLength : Number(end);
}

function broken(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}

/** Whether the connection is to blame, not what was asked for. */
function isBroken(error: unknown): boolean {
  const { $metadata, name, code } = error as { $metadata?: { httpStatusCode?: number }; name?: string; code?: string };
  if (($metadata?.httpStatusCode ?? 500) < 500) return false;
  return name === 'TimeoutError' || code === 'ECONNRESET' || $metadata !== undefined;
}
