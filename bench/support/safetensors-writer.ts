import { type FileHandle, open } from 'node:fs/promises';

/** How many floats are made and written at a time. */
const PIECE = 1 << 20;

/** A float32 tensor whose values are made while they are written. */
export interface StreamedTensor {
  name: string;
  shape: number[];
  /** Fills the next values of the tensor. */
  fill(piece: Float32Array): void;
}

/** Writes float32 tensors of any size as one safetensors file, some megabytes at a time. */
export async function writeStreamedTensors(file: string, tensors: readonly StreamedTensor[]): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.write(header(tensors));
    for (const { shape, fill } of tensors) await writeValues(handle, sizeOf(shape), fill);
  } finally {
    await handle.close();
  }
}

function header(tensors: readonly StreamedTensor[]): Buffer {
  let end = 0;
  const entries = tensors.map(({ name, shape }) => {
    const start = end;
    end += sizeOf(shape) * Float32Array.BYTES_PER_ELEMENT;
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }];
  });
  const text = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded]);
}

async function writeValues(handle: FileHandle, values: number, fill: StreamedTensor['fill']): Promise<void> {
  for (let left = values; left > 0; left -= PIECE) {
    const piece = new Float32Array(Math.min(left, PIECE));
    fill(piece);
    await handle.write(new Uint8Array(piece.buffer));
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
