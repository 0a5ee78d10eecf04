import { ModelError } from '../../contract/failures.js';
import { type CheckpointFile, withCheckpointFile } from './checkpoint-file.js';
import { DamagedCheckpoint } from './damaged.js';
import { widen } from './read-tensor.js';
import { ELEMENT_BYTES } from './tensor-size.js';
import type { Checkpoint, TensorDtype, TensorEntry } from './types.js';

type FloatDtype = Exclude<TensorDtype, 'I64'>;

/**
 * NaN and infinity have all exponent bits set, and no other value has. So the masked exponent plus its lowest bit
 * carries into the sign bit just then; 16-bit floats are tested two in a word.
 */
const EXPONENT: Record<FloatDtype, { mask: number; lowest: number; carry: number }> = {
  F32: { mask: 0x7f800000, lowest: 0x00800000, carry: 0x80000000 },
  F16: { mask: 0x7c007c00, lowest: 0x04000400, carry: 0x80008000 },
  BF16: { mask: 0x7f807f80, lowest: 0x00800080, carry: 0x80008000 },
};

/**
 * Reads all float tensors (or those of `names`) once and checks that they hold neither NaN nor infinity. Runs at the
 * speed of the disk or some GB/s; the thread is given back between pieces of 1 MB.
 * @throws ModelError naming the first tensor, in file order, that does, and the element.
 */
export async function assertFinite(checkpoint: Checkpoint, names?: Iterable<string>): Promise<void> {
  const entries = [...(names ?? checkpoint.tensors.keys())]
    .map((name) => named(checkpoint, name))
    .sort((a, b) => a.offset - b.offset);
  for (const path of checkpoint.files) {
    await withCheckpointFile(path, async (file) => {
      for (const entry of entries) if (entry.file === path) await scan(file, entry);
    });
  }
}

async function scan(file: CheckpointFile, entry: TensorEntry): Promise<void> {
  const { dtype } = entry;
  if (dtype === 'I64') return;
  let before = 0;
  for await (const piece of file.pieces(entry.offset, entry.bytes)) {
    const words = new Uint32Array(piece.buffer, piece.byteOffset, piece.length >> 2);
    if (piece.length % 4 !== 0 || carries(words, dtype)) {
      const values = widen(dtype, piece);
      const index = values.findIndex((value) => !Number.isFinite(value));
      if (index >= 0) throw notFinite(entry, before / ELEMENT_BYTES[dtype] + index, values[index]!);
    }
    before += piece.length;
  }
}

function carries(words: Uint32Array, dtype: FloatDtype): boolean {
  const { mask, lowest, carry } = EXPONENT[dtype];
  let any = 0;
  for (let i = 0; i < words.length; i++) any |= (words[i]! & mask) + lowest;
  return (any & carry) !== 0;
}

function named(checkpoint: Checkpoint, name: string): TensorEntry {
  const entry = checkpoint.tensors.get(name);
  if (entry !== undefined) return entry;
  throw new ModelError({
    what: `checkpoint has no tensor ${name}`,
    where: checkpoint.source,
    next: 'Use a checkpoint of one of the supported architectures',
  });
}

function notFinite(entry: TensorEntry, element: number, value: number): DamagedCheckpoint {
  return new DamagedCheckpoint({
    what: `tensor ${entry.name} holds ${value} at element ${element}, weights must be finite`,
    where: entry.file,
    next: 'The file is damaged or its training went wrong: download it again or use another checkpoint',
  });
}
