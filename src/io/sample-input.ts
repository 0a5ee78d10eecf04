import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { InputError } from '../contract/failures.js';
import { MAGIC_BYTES, isPacked, toInputError } from './input.js';
import { sha256OfFile } from './local-store.js';
import { sharedS3Connection } from './s3-client.js';
import { toS3InputError } from './s3-errors.js';
import { S3Objects } from './s3-objects.js';
import { Scratch } from './scratch.js';
import { type S3Address, isUri, parseS3Uri } from './store-uri.js';

/**
 * Does `work` with a local path of a sample's input: a path as it is, an object as a copy that stays until `work` ends.
 * @param options `sha256` of the input, where that is known: then a host's copy is found without asking the store.
 * @throws InputError that names the input when it is no such object; StorageError; the signal's reason; what `work` throws.
 */
export async function withInput<T>(
  input: string,
  work: (file: string) => Promise<T>,
  { sha256, signal }: { sha256?: string; signal?: AbortSignal } = {},
): Promise<T> {
  if (!isUri(input)) return work(input);
  const scratch = Scratch.ofThisHost();
  const copy = await ofInput(input, (objects, address) => copyOf(objects, address, scratch, sha256, signal));
  return scratch.withCopy(copy, path.basename(input), (file) =>
    work(file).catch((error: unknown) => {
      throw error instanceof InputError ? namedAs(input, file, error) : error;
    }),
  );
}

/** Hex SHA-256 of a sample's input file as it is stored. @throws as {@link withInput}. */
export async function inputDigest(input: string): Promise<string> {
  if (!isUri(input)) return sha256OfFile(input);
  const known = await ofInput(input, (objects, address) => objects.look(address));
  return known?.sha256 ?? withInput(input, sha256OfFile);
}

/** Size of a sample's input file in bytes, and whether it is unpacked while it is read. @throws as {@link withInput}. */
export async function inputSize(input: string): Promise<{ bytes: number; packed: boolean }> {
  if (isUri(input)) {
    return ofInput(input, async (objects, address) => {
      const bytes = (await objects.look(address))?.bytes ?? 0;
      return { bytes, packed: bytes >= MAGIC_BYTES && isPacked(await objects.start(address, MAGIC_BYTES)) };
    });
  }
  const handle = await open(input).catch((error: unknown) => {
    throw toInputError(error, input);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0);
    return { bytes: (await stat(input)).size, packed: isPacked(buffer.subarray(0, bytesRead)) };
  } finally {
    await handle.close();
  }
}

async function copyOf(
  objects: S3Objects,
  address: S3Address,
  scratch: Scratch,
  sha256?: string,
  signal?: AbortSignal,
): Promise<string> {
  const expected = sha256 ?? (await objects.look(address))?.sha256;
  const copy = expected === undefined ? undefined : await scratch.find(expected);
  if (copy !== undefined) return copy;
  return scratch.withFolder(async (folder) => {
    const file = path.join(folder, 'input');
    const arrived = await objects.download(address, file, signal);
    if (arrived !== undefined) return scratch.keep(file, arrived.sha256);
    throw new InputError({
      what: 'there is no such object',
      where: `s3://${address.bucket}/${address.key}`,
      next: 'Check the name',
    });
  });
}

async function ofInput<T>(input: string, ask: (objects: S3Objects, address: S3Address) => Promise<T>): Promise<T> {
  try {
    return await ask(new S3Objects(sharedS3Connection), parseS3Uri(input));
  } catch (error) {
    throw toS3InputError(error, input);
  }
}

/** The same trouble with the name that people know. */
function namedAs(input: string, file: string, { what, where = file, next, cause }: InputError): InputError {
  return new InputError({ what, where: where.replace(file, input), next, cause });
}
