/** Number formats that a model's products are computed in. */
export const PRECISIONS = ['fp32', 'fp16', 'int8'] as const;

/** One of {@link PRECISIONS}. */
export type Precision = (typeof PRECISIONS)[number];

/** Precisions that GPUs compute in. */
export type GpuPrecision = Exclude<Precision, 'int8'>;

/** An encoder that was looked at before any lane loads it. */
export interface ModelRef {
  /** Checkpoint folder or file, as the lanes' hosts see it. */
  path: string;
  /** SHA-256 over the checkpoint's tensor files: what embeddings are stamped with. */
  digest: string;
  /** Commit of the hub's repository that it is of, where that is known. */
  revision?: string;
  kind: 'dnabert2' | 'esm2';
  /** Length of one embedding. */
  hidden: number;
  layers: number;
  heads: number;
  /** Width of the feed-forward block. */
  intermediate: number;
  /** Number of weights. */
  parameters: number;
  /** Memory that its weights take. */
  bytes: number;
  precision: Precision;
  /** A verification at this precision left its stamp on the host that looked. */
  verified: boolean;
}

/** The classifier that was looked at before the run. */
export interface ClassifierRef {
  path: string;
  digest: string;
  /** Length of the feature vector it wants: nucleotide and protein embedding together. */
  inputSize: number;
}
