/** Element types that our checkpoints hold. */
export type TensorDtype = 'F32' | 'F16' | 'BF16' | 'I64';

/** Where one tensor's bytes lie: little-endian, row-major, uncompressed, inside `file`. */
export interface TensorEntry {
  name: string;
  dtype: TensorDtype;
  shape: number[];
  /** Absolute real path (symlinks resolved) of the file that holds the bytes. */
  file: string;
  /** Byte offset of the first element in `file`. */
  offset: number;
  /** Byte length: product of `shape` x element size. */
  bytes: number;
}

/** A checkpoint read as data: names to places, nothing executed and no weight copied. */
export interface Checkpoint {
  /** What the user named: a folder or a file. */
  source: string;
  format: 'safetensors' | 'torch-zip';
  /** Real paths of every file that holds tensors, in a fixed order. */
  files: string[];
  tensors: Map<string, TensorEntry>;
}
