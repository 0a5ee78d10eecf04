import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { S3_PATIENCE } from '../contract/defaults.js';

/** How to reach an S3-compatible store. */
export interface S3Connection {
  client: S3Client;
  /** The server as people know it, without credentials; undefined: Amazon's own. */
  server: string | undefined;
  patience: Patience;
}

/** How it is borne with: see S3_PATIENCE. */
export type Patience = Record<keyof typeof S3_PATIENCE, number>;

/** Where AWS_REGION and the profile say nothing: other stores do not care. */
const REGION = 'us-east-1';

/** By endpoint: a client keeps its connections. */
const shared = new Map<string, Promise<S3Connection>>();

/** The connection of this process, by its environment: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL for other servers. */
export function sharedS3Connection(): Promise<S3Connection> {
  const endpoint = process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL || '';
  const known = shared.get(endpoint);
  if (known !== undefined) return known;
  const connection = connectToS3(endpoint === '' ? {} : { endpoint });
  shared.set(endpoint, connection);
  return connection;
}

/**
 * A client; what is not given is found as AWS programs find it: credentials from variables, profiles, containers or
 * instances, the region from AWS_REGION or the profile. Buckets of an endpoint are addressed by path.
 */
export async function connectToS3(
  given: Pick<S3ClientConfig, 'credentials'> & { endpoint?: string },
  patience: Patience = S3_PATIENCE,
): Promise<S3Connection> {
  // Loaded only now: it takes a quarter of a second, and most runs use a folder.
  const { S3Client } = await import('@aws-sdk/client-s3');
  const { connectMs, silentMs, tries } = patience;
  const options = {
    ...given,
    forcePathStyle: given.endpoint !== undefined,
    followRegionRedirects: true,
    maxAttempts: tries,
    requestHandler: { connectionTimeout: connectMs, socketTimeout: silentMs },
    // Every request's bytes are signed, and every file's are checked on reading; CRCs beside would shut older servers out.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  } as const;
  const client = new S3Client(options);
  const region = await client.config.region().catch(() => undefined);
  return {
    client: region === undefined ? new S3Client({ ...options, region: REGION }) : client,
    server: given.endpoint && serverName(given.endpoint),
    patience,
  };
}

function serverName(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).origin : 'AWS_ENDPOINT_URL';
}
