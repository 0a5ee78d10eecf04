import { InputError, type Problem, StorageError, VirnucproError } from '../contract/failures.js';
import { toStorageError } from './local-store.js';

/** What S3 and the SDK call the troubles that people can do something about, and what. */
const KNOWN: readonly { names: readonly string[]; what: string; next: string }[] = [
  {
    names: ['NoSuchBucket'],
    what: 'there is no such bucket',
    next: 'Create it, or correct its name; on another server than Amazon, set AWS_ENDPOINT_URL_S3',
  },
  {
    names: ['CredentialsProviderError'],
    what: 'there are no credentials',
    next: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, for every process of the run',
  },
  {
    names: ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'AuthorizationHeaderMalformed', 'XAdminUserNotFound'],
    what: 'the credentials are not valid here',
    next: 'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (or AWS_PROFILE), AWS_REGION and AWS_ENDPOINT_URL_S3',
  },
  {
    names: ['ExpiredToken', 'InvalidToken', 'TokenRefreshRequired'],
    what: 'the credentials have expired',
    next: 'Renew them; workers take new ones when they are started again',
  },
  {
    names: ['AccessDenied', 'AllAccessDisabled'],
    what: 'the credentials do not allow that',
    next: 'Allow reading, writing, removing and listing under this prefix, or use other credentials',
  },
  {
    // The answer to a request without content has no words.
    names: ['Forbidden', '403'],
    what: 'the store refuses the credentials, and does not say why',
    next: 'Check them (AWS_ACCESS_KEY_ID, AWS_PROFILE), and that they allow reading, writing, removing and listing here',
  },
  {
    names: ['NoSuchKey', 'NotFound'],
    what: 'there is no such object',
    next: 'Check the name',
  },
];

/** Troubles of the sample whose input it is, not of the host or the store. */
const OF_INPUTS = new Set(['there is no such object', 'there is no such bucket']);

/** The parts of the SDK's errors that are used here. */
interface S3Error extends Error {
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

/** Whether there is no such object. A store asked for it without its content does not say whether there is the bucket. */
export function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes((error as S3Error).name);
}

/** Whether that upload is not under way any more. */
export function isEnded(error: unknown): boolean {
  return (error as S3Error).name === 'NoSuchUpload';
}

/**
 * What an S3 request failed with, as StorageError: none of it is for good. Local refusals as {@link toStorageError}, our own
 * errors as they are. Only names, codes and the server's sentence go in, nothing of the request.
 */
export function toS3Error(error: unknown, where: string): unknown {
  if (error instanceof VirnucproError) return error;
  const local = toStorageError(error, where);
  if (local instanceof StorageError || !isOfS3(error as S3Error)) return local;
  return new StorageError(problemOf(error as S3Error, where));
}

/** As {@link toS3Error}, for an input: that there is none is the sample's failure alone. */
export function toS3InputError(error: unknown, where: string): unknown {
  const known = toS3Error(error, where);
  if (!(known instanceof StorageError) || !OF_INPUTS.has(known.what)) return known;
  return new InputError({ what: known.what, where, next: known.next });
}

function problemOf(error: S3Error, where: string): Problem {
  const { name, message, code } = error;
  const status = error.$metadata?.httpStatusCode;
  const cause = new Error(`${name}: ${message}`);
  const known = KNOWN.find(({ names }) => names.includes(name) || (status === 403 && names.includes('403')));
  if (known) return { what: known.what, where, next: known.next, cause };
  const next = 'If it stays so, check the store, the network and AWS_ENDPOINT_URL_S3';
  if (status === undefined) {
    const why = code === undefined || message.includes(code) ? message : `${message} ${code}`.trim();
    return { what: `the store cannot be reached: ${why}`, where, next, cause };
  }
  return { what: `the store answers ${status} ${name}: ${message}`, where, next, cause };
}

/** Anything else is a bug of ours. */
function isOfS3(error: S3Error): boolean {
  const { name, code, $metadata } = error;
  return (
    $metadata !== undefined || code !== undefined || name === 'TimeoutError' || name === 'CredentialsProviderError'
  );
}
