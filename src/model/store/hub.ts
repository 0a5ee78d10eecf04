import { z } from 'zod';
import { ModelError, OptionError } from '../../contract/failures.js';

/** Access to the Hugging Face hub or a mirror of it. */
export interface Hub {
  /** Address without a slash at its end. */
  endpoint: string;
  token?: string;
}

/** A file as the hub lists it. */
export interface HubFile {
  name: string;
  bytes: number;
  /** Of files in large file storage, which all weights are. */
  sha256?: string;
  /** Git's SHA-1 of the other files. */
  gitOid?: string;
}

/** A repository at one commit. */
export interface HubRepository {
  repo: string;
  /** The commit. */
  revision: string;
  files: HubFile[];
}

/** The network or the server failed in a way that may pass: worth another try. */
export class PassingTrouble extends Error {}

/** `GET /api/models/REPO/revision/REVISION?blobs=true`, as huggingface_hub's `model_info(files_metadata=True)` reads it. */
const repositorySchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.int().nonnegative().nullish(),
      blobId: z.string().nullish(),
      lfs: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }).nullish(),
    }),
  ),
});

/** HTTP status of a file that ends before the range that was asked for. */
export const RANGE_NOT_THERE = 416;

const WEIGHTS = /\.(safetensors|bin|pt|pth)$/;

/**
 * The hub by its own variables: HF_ENDPOINT (a mirror's address), HF_TOKEN, HF_HUB_OFFLINE.
 * @throws ModelError when HF_HUB_OFFLINE is set; OptionError when HF_ENDPOINT is no address.
 */
export function openHub(env: NodeJS.ProcessEnv): Hub {
  // The values that huggingface_hub takes for yes.
  if (/^(1|on|yes|true)$/i.test(env['HF_HUB_OFFLINE'] ?? '')) {
    throw new ModelError({
      what: 'HF_HUB_OFFLINE is set, so nothing is downloaded',
      next: "Unset it, or copy the model's folder from another machine and run virnucpro models import DIR",
    });
  }
  const endpoint = (env['HF_ENDPOINT'] || 'https://huggingface.co').replace(/\/+$/, '');
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    throw new OptionError({
      what: `HF_ENDPOINT is '${endpoint}', allowed are addresses that begin with https:// or http://`,
      next: 'Correct it, or unset it to use the hub itself',
    });
  }
  return { endpoint, ...(env['HF_TOKEN'] && { token: env['HF_TOKEN'] }) };
}

/**
 * A repository's commit and files at a branch, tag or commit.
 * @throws ModelError when the hub refuses; {@link PassingTrouble}.
 */
export async function readRepository(
  hub: Hub,
  repo: string,
  revision: string,
  signal?: AbortSignal,
): Promise<HubRepository> {
  const url = `${hub.endpoint}/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const response = await request(hub, url, {}, signal);
  const text = await response.text().catch((error: unknown) => {
    throw passing(error, signal);
  });
  const parsed = repositorySchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new ModelError({
      what: `the hub's answer is not a description of a model: ${z.prettifyError(parsed.error).split('\n')[0]}`,
      where: url,
      next: 'Check HF_ENDPOINT and the network: a proxy or mirror answers something else',
    });
  }
  const { sha, siblings } = parsed.data;
  const files = siblings.flatMap(({ rfilename: name, size, blobId, lfs }) =>
    size === undefined || size === null
      ? []
      : [{ name, bytes: size, ...(lfs ? { sha256: lfs.sha256 } : blobId ? { gitOid: blobId } : {}) }],
  );
  // Without a digest, a mirror could serve other weights unseen.
  return { repo, revision: sha, files: files.filter((file) => 'sha256' in file || !WEIGHTS.test(file.name)) };
}

/** The address of a file's content. */
export function fileUrl({ endpoint }: Hub, { repo, revision }: HubRepository, name: string): string {
  return `${endpoint}/${repo}/resolve/${revision}/${encodeURIComponent(name)}`;
}

/**
 * GET, with redirects followed (the token stays with the endpoint's own host, as fetch does it). The answer is good, or
 * {@link RANGE_NOT_THERE}.
 * @throws ModelError naming the status when the server refuses for good; {@link PassingTrouble}.
 */
export async function request(
  hub: Hub,
  url: string,
  headers: Record<string, string>,
  signal?: AbortSignal,
): Promise<Response> {
  const response = await fetch(url, {
    // Ranges and sizes are those of the file, not of a compressed form of it.
    headers: { 'accept-encoding': 'identity', ...(hub.token && { authorization: `Bearer ${hub.token}` }), ...headers },
    ...(signal && { signal }),
  }).catch((error: unknown) => {
    throw passing(error, signal);
  });
  const { status } = response;
  if (response.ok || status === RANGE_NOT_THERE) return response;
  await response.body?.cancel();
  if (status === 429 || status >= 500) throw new PassingTrouble(`the server answers HTTP ${status}`);
  const advice: Record<number, string> = {
    401: 'It may not exist, or be private or gated: check --revision, and set HF_TOKEN if it needs one',
    403: 'The token in HF_TOKEN does not give access to it: accept its terms on the hub, or use another token',
    404: 'Check --revision, and HF_ENDPOINT if it names a mirror: not every mirror has every model',
  };
  throw new ModelError({
    what: `the hub answers HTTP ${status}${status === 404 ? ': no such repository, revision or file' : ''}`,
    where: url,
    next: advice[status] ?? 'Check HF_ENDPOINT and the network',
  });
}

/** A failure of the network while `signal` did not ask for the end. */
export function passing(error: unknown, signal?: AbortSignal): Error {
  signal?.throwIfAborted();
  const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  const reason = cause?.message || cause?.code;
  return new PassingTrouble(reason ? `${message}: ${reason}` : message);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
