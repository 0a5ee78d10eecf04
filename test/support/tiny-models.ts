import { copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openCheckpoint } from '../../src/model/checkpoint/open.js';
import { readTensor } from '../../src/model/checkpoint/read-tensor.js';

export const MODELS = 'test/fixtures/golden/models';

/** A fresh folder for a test's files. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'virnucpro-test-'));
}

export type PlainTensors = Map<string, { shape: number[]; values: Float32Array }>;

/** A copy of a tiny model's folder whose tensors `change` may alter, in a new temporary folder. */
export async function changedModel(name: string, change: (tensors: PlainTensors) => void): Promise<string> {
  const folder = await temporaryFolder();
  for (const file of ['config.json', 'vocab.txt', 'tokenizer.json']) {
    await copyFile(path.join(MODELS, name, file), path.join(folder, file)).catch(() => {});
  }
  const { tensors } = await openCheckpoint(path.join(MODELS, name));
  const plain: PlainTensors = new Map();
  for (const entry of tensors.values()) {
    plain.set(entry.name, { shape: entry.shape, values: Float32Array.from(await readTensor(entry)) });
  }
  change(plain);
  await writeSafetensors(path.join(folder, 'model.safetensors'), plain);
  return folder;
}

/** Writes float32 tensors as a safetensors file. */
export async function writeSafetensors(file: string, tensors: PlainTensors): Promise<void> {
  let end = 0;
  const header = Object.fromEntries(
    [...tensors].map(([name, { shape, values }]) => {
      const start = end;
      end += values.byteLength;
      return [name, { dtype: 'F32', shape, data_offsets: [start, end] }];
    }),
  );
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const data = [...tensors.values()].map(({ values }) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  );
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, Buffer.concat([length, padded, ...data]));
}

export interface GoldenEmbedding {
  sequence: string;
  input_ids: number[];
  mean: number[];
}

export async function goldenEmbeddings(name: string): Promise<GoldenEmbedding[]> {
  return JSON.parse(await readFile(`test/fixtures/golden/embeddings/${name}.json`, 'utf8')) as GoldenEmbedding[];
}
