import type { DeviceKind } from '../contract/devices.js';

/** A dense array for a model's input. */
export type TensorData =
  { type: 'float32'; dims: number[]; data: Float32Array } | { type: 'int32'; dims: number[]; data: Int32Array };

/** Inputs by name. */
export type Feeds = Record<string, TensorData>;

/** A graph that is ready to load: small bytes in memory, weights where the checkpoint has them. */
export interface LoadableGraph {
  /** Serialized ONNX model. */
  bytes: Uint8Array;
  /** Folder in which the graph's weight files are looked up. */
  weightsFolder: string;
}

/** How a backend may use the machine. */
export interface BackendOptions {
  /** What computes: of several devices of a kind the first that this process sees. Default: the CPU. */
  device?: DeviceKind;
  /** Threads of one call. */
  threads: number;
  /** Idle threads spin instead of sleeping: quicker with a machine to itself, harmful when lanes share it. */
  spinning: boolean;
}

/** A loaded model. Calls block the thread that makes them: it lives on a thread of its own (session-thread.ts). */
export interface Backend {
  /**
   * The model's one output for `feeds`.
   * @throws OutOfMemory when the call does not fit.
   */
  run(feeds: Feeds): Promise<Float32Array>;
  /** Gives the memory back. */
  release(): Promise<void>;
  /** Provider and its version, as provenance records it. */
  describe(): string;
}
