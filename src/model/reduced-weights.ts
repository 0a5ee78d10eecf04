import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256OfFile, toStorageError, writeAtomically } from '../io/local-store.js';
import { ModelError } from '../contract/failures.js';
import { type CheckpointFile, withCheckpointFile } from './checkpoint/checkpoint-file.js';
import { widen } from './checkpoint/read-tensor.js';
import { rememberedDigest } from './checkpoint/remembered-digest.js';
import { ELEMENT_BYTES } from './checkpoint/tensor-size.js';
import type { TensorDtype, TensorEntry } from './checkpoint/types.js';
import { assertFinite } from './finite.js';
import { FP16_LARGEST, firstInfinite, toFp16 } from './fp16.js';
import { quantizeRows } from './int8.js';
import { SEAL, type Seal, listReduced, readSeal, reducedCache } from './reduced-cache.js';
import { REDUCED_FILE, type ReducedLayout, type ReducedPart } from './reduced-layout.js';
import { assertFreeSpace } from './store/free-space.js';
import { withModelLock } from './store/lock.js';

/** Changes when the same checkpoint and layout would give other bytes. */
const FORMAT = 1;

/** Of a checkpoint, this much is in memory at once. */
const PIECE_BYTES = 1 << 20;

/**
 * The folder of our cache that holds a checkpoint's reduced weights in a file of this layout. They are written on first
 * use, a piece of a tensor at a time, by one process while others wait; a file that is torn or damaged is written again.
 * What was made of the same checkpoint files when they held other weights is removed then: nobody can use it any more.
 * @param source SHA-256 of the checkpoint's weights, which are read only to write the file.
 * @throws StorageError when the disk is full or refuses; ModelError when the checkpoint cannot be read or a weight is not
 *   finite.
 */
export async function reducedWeights(layout: ReducedLayout, source: string, cacheDir: string): Promise<string> {
  const folder = path.join(reducedCache(cacheDir), nameOf(layout, source));
  const file = path.join(folder, REDUCED_FILE);
  if (await isWhole(folder, cacheDir)) return folder;
  await withModelLock(`${folder}.lock`, {}, async () => {
    if (await isWhole(folder, cacheDir)) return;
    const files = [...new Set(layout.parts.map(({ tensor }) => tensor.file))];
    try {
      // What a writer that was killed left of it, gigabytes perhaps.
      await rm(folder, { recursive: true, force: true });
      for (const replaced of await madeBefore(files, source, cacheDir))
        await rm(replaced, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      await assertFreeSpace(folder, layout.bytes);
    } catch (error) {
      throw toStorageError(error, folder);
    }
    const sha256 = await writeAtomically(file, (temporary) => writeParts(layout, temporary));
    const seal: Seal = { source, files, bytes: layout.bytes, sha256 };
    await writeAtomically(path.join(folder, SEAL), (temporary) =>
      writeFile(temporary, `${JSON.stringify(seal, null, 2)}\n`),
    );
  });
  return folder;
}

/** The same for every copy of a checkpoint; another for any other content. */
function nameOf({ parts }: ReducedLayout, source: string): string {
  const described = parts.map(({ tensor: { name, dtype, shape }, form, values }) => [name, dtype, shape, form, values]);
  return sha256()
    .update(JSON.stringify([FORMAT, source, described]))
    .digest('hex');
}

/** The file is read once; its digest is remembered. */
async function isWhole(folder: string, cacheDir: string): Promise<boolean> {
  try {
    const seal = await readSeal(folder);
    const file = path.join(folder, REDUCED_FILE);
    if ((await stat(file)).size !== seal.bytes) return false;
    return (await rememberedDigest(file, path.join(cacheDir, 'digests'), sha256OfFile)) === seal.sha256;
  } catch {
    // Whatever cannot be read is made again, and then says what is wrong with it.
    return false;
  }
}

/**
 * Folders with reduced weights of these very checkpoint files, which hold others now. A shard alone tells nothing: two
 * revisions in the hub's cache share those that are the same.
 */
async function madeBefore(files: readonly string[], source: string, cacheDir: string): Promise<string[]> {
  const all = await listReduced(cacheDir);
  return all
    .filter(({ seal }) => seal !== undefined && seal.source !== source && isSameSet(seal.files, files))
    .map((folder) => folder.path);
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((file) => b.includes(file));
}

async function writeParts({ parts, bytes }: ReducedLayout, to: string): Promise<string> {
  const out = new Output(await open(to, 'wx'));
  try {
    for (const part of parts) {
      await withCheckpointFile(part.tensor.file, (from) => writePart(part, from, out));
    }
    await out.padTo(bytes);
    return out.hash.digest('hex');
  } finally {
    await out.handle.close();
  }
}

async function writePart(part: ReducedPart, from: CheckpointFile, out: Output): Promise<void> {
  await out.padTo(part.values.offset);
  const { tensor } = part;
  if (part.form === 'fp16') return writeFp16(tensor, from, out);
  if (part.form === 'as is') {
    for await (const piece of from.pieces(tensor.offset, tensor.bytes)) await out.write(piece);
    return;
  }
  const [rows, columns] = tensor.shape as [number, number];
  const scales = new Float32Array(rows);
  for (let row = 0, count; row < rows; row += count) {
    count = Math.min(rows - row, Math.max(1, Math.floor(PIECE_BYTES / (columns * ELEMENT_BYTES[tensor.dtype]))));
    const quantized = quantizeRows(await readRows(from, tensor, row, count), columns);
    if (!quantized.scales.every(Number.isFinite)) await assertFinite([tensor]);
    scales.set(quantized.scales, row);
    await out.write(quantized.integers);
  }
  await out.padTo(part.scales.offset);
  await out.write(scales);
}

/** @throws ModelError for a number that is not within fp16. */
async function writeFp16(tensor: TensorEntry, from: CheckpointFile, out: Output): Promise<void> {
  let before = 0;
  for await (const piece of from.pieces(tensor.offset, tensor.bytes)) {
    const values = widen(tensor.dtype as Exclude<TensorDtype, 'I64'>, piece);
    const halves = toFp16(values);
    const bad = firstInfinite(halves);
    if (bad >= 0) throw notFp16(tensor, before + bad, values[bad]!);
    await out.write(halves);
    before += values.length;
  }
}

function notFp16({ name, file }: TensorEntry, element: number, value: number): ModelError {
  const isFinite = Number.isFinite(value);
  return new ModelError({
    what: `tensor ${name} holds ${value} at element ${element}${isFinite ? `, fp16 goes to ${FP16_LARGEST}` : ''}`,
    where: file,
    next: isFinite ? 'Give --precision fp32' : 'Download the checkpoint again; if it stays so, the training went wrong',
  });
}

async function readRows(from: CheckpointFile, tensor: TensorEntry, row: number, count: number): Promise<Float32Array> {
  const { dtype, offset, shape } = tensor;
  const bytesPerRow = shape[1]! * ELEMENT_BYTES[dtype];
  const bytes = await from.read(offset + row * bytesPerRow, count * bytesPerRow);
  return widen(dtype as Exclude<typeof dtype, 'I64'>, bytes);
}

/** A file that is written from start to end. */
class Output {
  readonly hash: Hash = sha256();
  private written = 0;

  constructor(readonly handle: FileHandle) {}

  async write(values: ArrayBufferView): Promise<void> {
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    this.hash.update(bytes);
    this.written += bytes.length;
    await this.handle.writeFile(bytes);
  }

  async padTo(offset: number): Promise<void> {
    await this.write(new Uint8Array(offset - this.written));
  }
}

function sha256(): Hash {
  return createHash('sha256');
}
