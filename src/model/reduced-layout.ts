import type { TensorEntry } from './checkpoint/types.js';

/** The file's name in its folder. */
export const REDUCED_FILE = 'weights.bin';

/** Tensors start at multiples of it: a cache line. */
const ALIGNMENT = 64;

const FP16_BYTES = 2;

/** Where bytes lie in the file. */
export interface Place {
  offset: number;
  bytes: number;
}

/** A tensor of the file: a checkpoint's own bytes, its values as fp16, or its int8 values and the scales of its rows. */
export type ReducedPart =
  | { tensor: TensorEntry; form: 'as is'; values: Place }
  | { tensor: TensorEntry; form: 'fp16'; values: Place }
  | { tensor: TensorEntry; form: 'int8'; values: Place; scales: Place };

/** What a file of reduced weights holds, in its order. It has all tensors of a graph, also those that stay as they are. */
export class ReducedLayout {
  readonly parts: ReducedPart[] = [];
  /** Length of the file. */
  bytes = 0;

  /** Adds a tensor as the checkpoint has it and returns its offset. */
  addAsIs(tensor: TensorEntry): number {
    const values = this.take(tensor.bytes);
    this.parts.push({ tensor, form: 'as is', values });
    return values.offset;
  }

  /** Adds a tensor as fp16, two bytes a value. */
  addFp16(tensor: TensorEntry): Place {
    const values = this.take(tensor.shape.reduce((product, size) => product * size, FP16_BYTES));
    this.parts.push({ tensor, form: 'fp16', values });
    return values;
  }

  /** Adds a matrix as int8, a byte each, followed by float32 scales of its rows. */
  addInt8(tensor: TensorEntry): { values: Place; scales: Place } {
    const [rows, columns] = tensor.shape as [number, number];
    const values = this.take(rows * columns);
    const scales = this.take(rows * Float32Array.BYTES_PER_ELEMENT);
    this.parts.push({ tensor, form: 'int8', values, scales });
    return { values, scales };
  }

  private take(bytes: number): Place {
    const offset = this.bytes;
    this.bytes = Math.ceil((offset + bytes) / ALIGNMENT) * ALIGNMENT;
    return { offset, bytes };
  }
}
