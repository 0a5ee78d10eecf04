import type { ModelRef, Precision } from '../../contract/models.js';
import type { TensorEntry } from '../checkpoint/types.js';
import type { ReducedLayout } from '../reduced-layout.js';
import { float, type GraphBuilder, type Value } from './builder.js';
import { int8Linear } from './int8-linear.js';
import type { GraphSegment } from './segments.js';

/** Far below any score that counts, and within fp16. */
const LEAST_FP16_BIAS = -1e4;

/** The two architectures that we embed with. */
export type EncoderKind = ModelRef['kind'];

/** Sizes of an encoder, as its own tensors give them. */
export interface EncoderDims {
  hidden: number;
  layers: number;
  heads: number;
  /** Width of the feed-forward block. */
  intermediate: number;
  vocabulary: number;
}

/** What config.json says about a checkpoint, where there is one. */
export type ModelConfig = Record<string, unknown>;

/**
 * An encoder as ONNX. Inputs: `input_ids` int32 [batch, tokens]; `mask_bias` float32 [batch, 1, 1, tokens], 0 on
 * tokens and very negative on padding; with rotary positions also `cos` and `sin` float32 [tokens, head size / 2].
 * Output: `token_vectors` float32 [batch, tokens, hidden].
 */
export interface EncoderGraph {
  kind: EncoderKind;
  dims: EncoderDims;
  /**
   * Serialized ONNX models that make the encoder when they are chained, up to `count` of them, of about as many layers each; their
   * weights lie in the checkpoint's files or, below fp32, in a file as `reduced` says.
   */
  segments: (count: number) => GraphSegment[];
  reduced: ReducedLayout | undefined;
  /** The tensors in use. */
  weights: TensorEntry[];
  /** Numbers besides the weights that decide the output. */
  constants: Record<string, number>;
  /** The embedding table: rows of it may be bad without any other input showing it. */
  wordEmbeddings: TensorEntry;
  /** Rotary angle per position and pair of features, float32 [head size / 2]; absent without rotary positions. */
  inverseFrequencies?: Float32Array;
}

/** Ways to build the same encoder. */
export interface GraphForm {
  /** What its products are computed in. Default fp32. */
  precision?: Precision;
  /**
   * Attention in MatMul and Softmax: onnxruntime's fused operator is wrong on WebGPU from 32 tokens on
   * (docs/decisions/024-devices.md).
   */
  plainAttention?: boolean;
  /** Only so many layers, the final norm behind them: enough to try a device on a model of any size. */
  mostLayers?: number;
}

/** Shapes that depend on the call, made once a graph and shared by its layers. */
export interface CallShapes {
  /** [batch, tokens, hidden] as int64 values. */
  tokenVectors: Value;
  /** [batch * tokens, hidden]: what Gemm takes. */
  rows: Value;
  /** [tokens] as an int64 value of one element. */
  tokens: Value;
}

/** Adds {@link CallShapes} to a graph; `inputIds` is [batch, tokens]. */
export function callShapes(g: GraphBuilder, inputIds: Value, hidden: number): CallShapes {
  const shape = g.op('Shape', [inputIds]);
  return {
    tokenVectors: g.op('Concat', [shape, g.int64s(hidden)], { axis: 0 }),
    rows: g.int64s(-1, hidden),
    tokens: g.op('Gather', [shape, g.int64s(1)], { axis: 0 }),
  };
}

/**
 * x · Wᵀ (+ bias) with W [out, in] as torch stores a Linear layer, so that it is used in place. x is [rows, in]. In fp16 the
 * result is float16, summed up in 32 bits by the device; else it is float32.
 */
export function linear(g: GraphBuilder, x: Value, weight: TensorEntry, bias?: TensorEntry): Value {
  if (g.precision === 'int8') return int8Linear(g, x, weight, bias);
  const inputs = [weight, ...(bias === undefined ? [] : [bias])].map((tensor) => g.productWeight(tensor));
  return g.op('Gemm', [g.as('float16', x), ...inputs], { transB: 1 });
}

/**
 * Softmax(q·kᵀ / sqrt(head size) + bias)·v by heads. q, k, v and the result are as {@link linear} gives: [batch, tokens,
 * hidden]; bias, float32: [1 or batch, 1 or heads, tokens, tokens]. The mask travels in the bias because WebGPU has no
 * padding mask.
 */
export function attention(
  g: GraphBuilder,
  [q, k, v]: [Value, Value, Value],
  bias: Value,
  { heads, hidden }: Pick<EncoderDims, 'heads' | 'hidden'>,
  { plainAttention = false }: GraphForm,
): Value {
  if (!plainAttention) return g.op('MultiHeadAttention', [q, k, v, '', '', smallBias(g, bias)], { num_heads: heads });
  const headSize = hidden / heads;
  // 0 stands for the same size as before.
  const byHeads = g.int64s(0, 0, heads, headSize);
  const split = (x: Value, perm: number[]): Value => g.op('Transpose', [g.op('Reshape', [x, byHeads])], { perm });
  const scale = g.as('float16', g.constant(Float32Array.of(1 / Math.sqrt(headSize)), []));
  const scaled = g.op('Mul', [split(q, [0, 2, 1, 3]), scale]);
  const product = g.op('MatMul', [scaled, split(k, [0, 2, 3, 1])]);
  const scores = g.op('Add', [g.as('float32', product), bias]);
  const weights = g.as('float16', g.op('Softmax', [scores], { axis: -1 }));
  const mixed = g.op('MatMul', [weights, split(v, [0, 2, 1, 3])]);
  return g.op('Reshape', [g.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), g.int64s(0, 0, hidden)]);
}

/** In fp16, a bias of attention as float16: what masks padding would be infinite there, and exp(-1e4) is 0 as well. */
function smallBias(g: GraphBuilder, bias: Value): Value {
  if (g.precision !== 'fp16') return bias;
  return g.once(`small ${bias}`, () =>
    g.as('float16', g.op('Max', [bias, g.constant(Float32Array.of(LEAST_FP16_BIAS), [])])),
  );
}

/**
 * LayerNorm(x + bias + residual) and that sum, x as {@link linear} gives it, all else float32. All [rows, hidden]. Not
 * SkipLayerNormalization: onnxruntime's for the CPU is slower than the three by itself, 3 to 7 % of a whole call
 * (bench/encoders.md).
 */
export function addAndNorm(
  g: GraphBuilder,
  x: Value,
  bias: TensorEntry,
  residual: Value,
  norm: { weight: TensorEntry; bias: TensorEntry },
  epsilon: number,
): { normed: Value; sum: Value } {
  const sum = g.op('Add', [g.op('Add', [g.as('float32', x), g.weight(bias)]), residual]);
  const inputs = [sum, g.weight(norm.weight), g.weight(norm.bias)];
  return { normed: g.op('LayerNormalization', inputs, { axis: -1, epsilon: float(epsilon) }), sum };
}
