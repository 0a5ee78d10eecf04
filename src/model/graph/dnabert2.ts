import { ModelError } from '../../contract/failures.js';
import type { Checkpoint } from '../checkpoint/types.js';
import { float, GraphBuilder, type Value } from './builder.js';
import {
  addAndNorm,
  attention,
  callShapes,
  type EncoderGraph,
  type GraphForm,
  linear,
  type ModelConfig,
} from './encoder.js';
import { shares, Tensors } from './tensors.js';

const WORD_EMBEDDINGS = 'embeddings.word_embeddings.weight';
const EPSILON = 1e-12;

/** Whether a checkpoint holds a DNABERT-2 or DNABERT-S (its fused Wqkv tells it from any other BERT). */
export function isDnabert2(checkpoint: Checkpoint): boolean {
  return Tensors.find(checkpoint, 'encoder.layer.0.attention.self.Wqkv.weight') !== undefined;
}

/**
 * DNABERT-2 / DNABERT-S as MosaicBERT computes it: ALiBi instead of positions, fused QKV, a gated feed forward whose
 * first half is activated, norms after each block.
 * @param locate name of a checkpoint file in the weights folder.
 * @throws ModelError when a tensor or the number of heads is missing or does not fit.
 */
export function buildDnabert2(
  checkpoint: Checkpoint,
  config: ModelConfig | undefined,
  locate: (file: string) => string,
  form: GraphForm = {},
): EncoderGraph {
  const t = Tensors.find(checkpoint, WORD_EMBEDDINGS);
  if (t === undefined) throw missing(checkpoint);
  const wordEmbeddings = t.get(WORD_EMBEDDINGS, [-1, -1]);
  const [vocabulary, hidden] = wordEmbeddings.shape as [number, number];
  const layers = Math.min(t.layers('encoder.layer.{}.attention.self.Wqkv.weight'), form.mostLayers ?? Infinity);
  const intermediate = t.get('encoder.layer.0.mlp.wo.weight', [hidden, -1]).shape[1]!;
  const heads = Number(config?.['num_attention_heads']);
  if (!Number.isInteger(heads) || heads < 1 || hidden % heads !== 0) {
    throw new ModelError({
      what: `number of attention heads is ${config?.['num_attention_heads']}, expected a divisor of ${hidden}`,
      where: checkpoint.source,
      next: "Put the model's config.json (num_attention_heads) beside the checkpoint",
    });
  }
  const epsilon = Number(config?.['layer_norm_eps'] ?? EPSILON);

  const g = new GraphBuilder(locate, form.precision, checkpoint.tensors.values());
  const inputIds = g.input('input_ids', 'int32', ['batch', 'tokens']);
  const maskBias = g.input('mask_bias', 'float32', ['batch', 1, 1, 'tokens']);
  const shapes = callShapes(g, inputIds, hidden);
  const bias = g.op('Add', [alibi(g, shapes.tokens, heads), maskBias]);
  const norm = (name: string): { weight: ReturnType<Tensors['get']>; bias: ReturnType<Tensors['get']> } => ({
    weight: t.get(`${name}.weight`, [hidden]),
    bias: t.get(`${name}.bias`, [hidden]),
  });

  const words = g.op('Gather', [g.weight(wordEmbeddings), inputIds], { axis: 0 });
  const tokenTypes = g.weight(t.get('embeddings.token_type_embeddings.weight', [-1, hidden]));
  const embedded = g.op('Add', [words, g.op('Gather', [tokenTypes, g.int64s(0)], { axis: 0 })]);
  const first = norm('embeddings.LayerNorm');
  const normed = g.op('LayerNormalization', [embedded, g.weight(first.weight), g.weight(first.bias)], {
    axis: -1,
    epsilon: float(epsilon),
  });
  let x = g.op('Reshape', [normed, shapes.rows]);

  for (let layer = 0; layer < layers; layer += 1) {
    const p = `encoder.layer.${layer}`;
    // What is fused in the checkpoint is one product for each part here: to split its result would copy it.
    const weights = shares(t.get(`${p}.attention.self.Wqkv.weight`, [3 * hidden, hidden]), 3);
    const biases = shares(t.get(`${p}.attention.self.Wqkv.bias`, [3 * hidden]), 3);
    const [q, k, v] = weights.map((weight, i) =>
      g.op('Reshape', [linear(g, x, weight, biases[i]), shapes.tokenVectors]),
    ) as [Value, Value, Value];
    const attended = g.op('Reshape', [attention(g, [q, k, v], bias, { heads, hidden }, form), shapes.rows]);
    const projected = linear(g, attended, t.get(`${p}.attention.output.dense.weight`, [hidden, hidden]));
    const attentionBias = t.get(`${p}.attention.output.dense.bias`, [hidden]);
    x = addAndNorm(g, projected, attentionBias, x, norm(`${p}.attention.output.LayerNorm`), epsilon).normed;

    const gated = shares(t.get(`${p}.mlp.gated_layers.weight`, [2 * intermediate, hidden]), 2);
    const [gate, up] = gated.map((weight) => linear(g, x, weight)) as [Value, Value];
    const activated = g.op('Mul', [g.op('Gelu', [gate]), up]);
    const down = linear(g, activated, t.get(`${p}.mlp.wo.weight`, [hidden, intermediate]));
    x = addAndNorm(g, down, t.get(`${p}.mlp.wo.bias`, [hidden]), x, norm(`${p}.mlp.layernorm`), epsilon).normed;
    if (layer + 1 < layers) g.boundary(x, hidden);
  }
  g.op('Reshape', [x, shapes.tokenVectors], {}, 'token_vectors');
  g.output('token_vectors', 'float32', ['batch', 'tokens', hidden]);
  return {
    kind: 'dnabert2',
    dims: { hidden, layers, heads, intermediate, vocabulary },
    segments: (count) => g.segments(count),
    reduced: g.reduced,
    weights: g.tensors,
    constants: { epsilon },
    wordEmbeddings,
  };
}

/** -slope(head) * |i - j|: [1, heads, tokens, tokens], for any number of tokens. */
function alibi(g: GraphBuilder, tokens: Value, heads: number): Value {
  const scalar = g.op('Squeeze', [tokens]);
  const zero = g.constant(BigInt64Array.of(0n), []);
  const one = g.constant(BigInt64Array.of(1n), []);
  const positions = g.op('Cast', [g.op('Range', [zero, scalar, one])], { to: 1 });
  const column = g.op('Unsqueeze', [positions, g.int64s(1)]);
  const distances = g.op('Abs', [g.op('Sub', [column, positions])]);
  const slopes = Float32Array.from(alibiSlopes(heads), (slope) => -slope);
  return g.op('Mul', [g.constant(slopes, [1, heads, 1, 1]), distances]);
}

/**
 * The slope of each head (ALiBi, Press et al. 2022, with its rule for head counts that are no power of two: the slopes
 * of the next lower power, then every other one of the next higher power).
 */
export function alibiSlopes(heads: number): number[] {
  const powerOfTwo = (n: number): number[] => Array.from({ length: n }, (_, i) => 2 ** ((-8 * (i + 1)) / n));
  const lower = 2 ** Math.floor(Math.log2(heads));
  if (lower === heads) return powerOfTwo(heads);
  const between = powerOfTwo(2 * lower).filter((_, i) => i % 2 === 0);
  return [...powerOfTwo(lower), ...between.slice(0, heads - lower)];
}

function missing(checkpoint: Checkpoint): ModelError {
  return new ModelError({
    what: `tensor ${WORD_EMBEDDINGS} is missing`,
    where: checkpoint.source,
    next: 'Check that the download is complete',
  });
}
