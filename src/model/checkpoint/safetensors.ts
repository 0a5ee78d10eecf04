import { z } from 'zod';
import { ModelError } from '../../contract/failures.js';
import type { CheckpointFile } from './checkpoint-file.js';
import { damaged } from './damaged.js';
import { ELEMENT_BYTES, MAX_TENSORS, tensorBytes } from './tensor-size.js';
import type { TensorDtype, TensorEntry } from './types.js';

/** ESM-2 15B's header has 0.1 MB. JSON of brackets takes 20 times its size in memory: the library's own 100 MB are 2 GB. */
const MAX_HEADER_BYTES = 16 << 20;
const LENGTH_BYTES = 8;

const tensorInfo = z.strictObject({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/**
 * The tensors of a safetensors file: 8 bytes of header length, a JSON header, then the tensors without gap or overlap.
 * @throws ModelError naming what is malformed, or a tensor of a type that we do not read.
 */
export async function readSafetensors(file: CheckpointFile): Promise<TensorEntry[]> {
  const headerBytes = file.size < LENGTH_BYTES ? 0n : (await file.read(0, LENGTH_BYTES)).readBigUInt64LE();
  if (headerBytes > MAX_HEADER_BYTES || Number(headerBytes) > file.size - LENGTH_BYTES) {
    throw damaged(
      `header of ${headerBytes} bytes in a file of ${file.size} bytes, allowed are ${MAX_HEADER_BYTES}`,
      file.path,
    );
  }
  const header = parseHeader(await file.read(LENGTH_BYTES, Number(headerBytes)), file.path);
  const dataStart = LENGTH_BYTES + Number(headerBytes);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, info]) => toEntry(name, info, dataStart, file));
  checkLayout(entries, dataStart, file);
  return entries;
}

function parseHeader(bytes: Buffer, where: string): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    throw damaged('header is not JSON', where, error);
  }
  if (!isRecord(header)) throw damaged('header is not a JSON object', where);
  const names = Object.keys(header).length;
  if (names > MAX_TENSORS) throw damaged(`header names ${names} tensors, allowed are ${MAX_TENSORS}`, where);
  const keys = Object.values(header).reduce<number>(
    (sum, info) => sum + (isRecord(info) ? Object.keys(info).length : 0),
    names,
  );
  // JSON.parse keeps the last of two equal keys in silence.
  if (countKeys(text) !== keys) throw damaged('header has a name twice or nests too deep', where);
  return header;
}

/** Keys in valid JSON: the colons outside strings. */
function countKeys(json: string): number {
  let keys = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === '"') inString = !inString;
    else if (inString && char === '\\') i++;
    else if (!inString && char === ':') keys++;
  }
  return keys;
}

function toEntry(name: string, info: unknown, dataStart: number, file: CheckpointFile): TensorEntry {
  const parsed = tensorInfo.safeParse(info);
  if (!parsed.success) {
    throw damaged(
      `tensor ${name}: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`,
      file.path,
    );
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  if (!isDtype(dtype)) {
    throw new ModelError({
      what: `tensor ${name} is of type ${dtype}, allowed are ${Object.keys(ELEMENT_BYTES).join(', ')}`,
      where: file.path,
      next: 'Convert it to one of these types',
    });
  }
  const bytes = offsets[1] - offsets[0];
  if (tensorBytes(dtype, shape) !== bytes) {
    throw damaged(`tensor ${name} of ${dtype} ${shape.join(' x ')} does not take ${bytes} bytes`, file.path);
  }
  return { name, dtype, shape, file: file.path, offset: dataStart + offsets[0], bytes };
}

function checkLayout(entries: TensorEntry[], dataStart: number, file: CheckpointFile): void {
  let end = dataStart;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    if (entry.offset !== end) throw damaged(`tensor ${entry.name} overlaps another or leaves a gap`, file.path);
    end += entry.bytes;
  }
  if (end !== file.size) throw damaged(`tensors end at byte ${end}, the file at ${file.size}`, file.path);
}

function isDtype(dtype: string): dtype is TensorDtype {
  return Object.hasOwn(ELEMENT_BYTES, dtype);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
