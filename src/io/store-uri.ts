import { OptionError } from '../contract/failures.js';

/** A place in an S3-compatible store. */
export interface S3Address {
  bucket: string;
  /** Empty for the bucket itself; never starts or ends with `/`. */
  key: string;
}

/** What a store or an input may be, for messages. */
const ALLOWED = 'a folder or s3://bucket/prefix';

const S3 = 's3://';

/** Names of buckets: also those that S3 no longer gives out, but other stores do. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;

/** Whether `place` is a uri and not a path. Windows' drive letters are no schemes. */
export function isUri(place: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(place);
}

/**
 * Reads `s3://bucket/key`, taken as it stands: nothing in it is decoded.
 * @throws OptionError for another scheme, no bucket's name, and keys that file systems would read otherwise (`..`, `//`).
 */
export function parseS3Uri(uri: string): S3Address {
  const scheme = uri.slice(0, uri.indexOf('://') + 3);
  if (scheme !== S3) {
    throw new OptionError({
      what: `${scheme} is no store that we know, allowed are ${ALLOWED}`,
      // Not the rest: it may hold a password.
      next: 'Name a bucket of an S3-compatible store (most others offer that interface, too), or a folder',
    });
  }
  const [bucket = '', ...parts] = uri.slice(S3.length).replace(/\/$/, '').split('/');
  const key = parts.join('/');
  if (BUCKET.test(bucket) && (key === '' || isPlainKey(key))) return { bucket, key };
  throw new OptionError({
    what: 'not a usable uri: it must be s3://bucket/prefix, without empty parts, "." or ".."',
    where: bucket.includes('@') ? 's3://...@...' : uri,
    next: 'Credentials go into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile, the server into AWS_ENDPOINT_URL_S3',
  });
}

/** Whether every part of a `/`-separated key is a name: then it cannot lead out of where it is put. */
export function isPlainKey(key: string): boolean {
  return key.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
}

export function s3Uri({ bucket, key }: S3Address): string {
  return `${S3}${bucket}/${key}`;
}
