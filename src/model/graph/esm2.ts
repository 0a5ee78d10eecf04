import { ModelError } from '../../contract/failures.js';
import { readTensor } from '../checkpoint/read-tensor.js';
import type { Checkpoint, TensorEntry } from '../checkpoint/types.js';
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
import { Tensors } from './tensors.js';

const EPSILON = 1e-5;

/** fair-esm scales embeddings by 1 - 0.15 * 0.8 when no token is masked (it trained with that share masked). */
const TOKEN_DROPOUT_SCALE = 0.88;

/** Names of an ESM-2's tensors, without prefix; `{}` is the layer. */
interface Naming {
  wordEmbeddings: string;
  layer: string;
  query: string;
  key: string;
  value: string;
  projection: string;
  attentionNorm: string;
  up: string;
  down: string;
  feedForwardNorm: string;
  inverseFrequencies: string;
  finalNorm: string;
}

const HUGGING_FACE: Naming = {
  wordEmbeddings: 'embeddings.word_embeddings',
  layer: 'encoder.layer.{}.',
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  projection: 'attention.output.dense',
  attentionNorm: 'attention.LayerNorm',
  up: 'intermediate.dense',
  down: 'output.dense',
  feedForwardNorm: 'LayerNorm',
  inverseFrequencies: 'attention.self.rotary_embeddings.inv_freq',
  finalNorm: 'encoder.emb_layer_norm_after',
};

const FAIR_ESM: Naming = {
  wordEmbeddings: 'embed_tokens',
  layer: 'layers.{}.',
  query: 'self_attn.q_proj',
  key: 'self_attn.k_proj',
  value: 'self_attn.v_proj',
  projection: 'self_attn.out_proj',
  attentionNorm: 'self_attn_layer_norm',
  up: 'fc1',
  down: 'fc2',
  feedForwardNorm: 'final_layer_norm',
  inverseFrequencies: 'self_attn.rot_emb.inv_freq',
  finalNorm: 'emb_layer_norm_after',
};

/** The final norm tells ESM-2 from a BERT whose tensors have the same names otherwise. */
function findEsm2(checkpoint: Checkpoint): { names: Naming; t: Tensors } | undefined {
  for (const names of [HUGGING_FACE, FAIR_ESM]) {
    const t = Tensors.find(checkpoint, `${names.wordEmbeddings}.weight`);
    if (t?.has(`${names.finalNorm}.weight`)) return { names, t };
  }
  return undefined;
}

/** Whether a checkpoint holds an ESM-2, in the naming of Hugging Face or of fair-esm. */
export function isEsm2(checkpoint: Checkpoint): boolean {
  return findEsm2(checkpoint) !== undefined;
}

/**
 * ESM-2 as fair-esm 2.0.0 computes it without masked tokens: norms before each block, rotary positions, erf GELU.
 * @param locate name of a checkpoint file in the weights folder.
 * @throws ModelError when a tensor or the number of heads is missing or does not fit.
 */
export async function buildEsm2(
  checkpoint: Checkpoint,
  config: ModelConfig | undefined,
  locate: (file: string) => string,
  form: GraphForm = {},
): Promise<EncoderGraph> {
  const found = findEsm2(checkpoint);
  if (found === undefined) {
    throw new ModelError({
      what: 'checkpoint holds no ESM-2: word embeddings or final norm are missing',
      where: checkpoint.source,
      next: 'Check that the download is complete and is the model you meant',
    });
  }
  const { names, t } = found;
  if (t.has('embeddings.layer_norm.weight') || t.has('emb_layer_norm_before.weight')) {
    throw t.error('checkpoint is an ESM-1b (norm before its layers), expected an ESM-2');
  }
  const wordEmbeddings = t.get(`${names.wordEmbeddings}.weight`, [-1, -1]);
  const [vocabulary, hidden] = wordEmbeddings.shape as [number, number];
  const layers = Math.min(t.layers(`${names.layer}${names.query}.weight`), form.mostLayers ?? Infinity);
  const layerPrefix = (layer: number): string => names.layer.replace('{}', String(layer));
  const intermediate = t.get(`${layerPrefix(0)}${names.up}.weight`, [-1, hidden]).shape[0]!;
  const tableName = `${layerPrefix(0)}${names.inverseFrequencies}`;
  const table = t.has(tableName) ? t.get(tableName, [-1]) : undefined;
  const heads = headCount(t, hidden, table, config);
  const epsilon = Number(config?.['layer_norm_eps'] ?? EPSILON);
  const scale = config?.['token_dropout'] === false ? 1 : TOKEN_DROPOUT_SCALE;

  const g = new GraphBuilder(locate, form.precision, checkpoint.tensors.values());
  const inputIds = g.input('input_ids', 'int32', ['batch', 'tokens']);
  const maskBias = g.input('mask_bias', 'float32', ['batch', 1, 1, 'tokens']);
  const cos = g.input('cos', 'float32', ['tokens', hidden / heads / 2]);
  const sin = g.input('sin', 'float32', ['tokens', hidden / heads / 2]);
  const shapes = callShapes(g, inputIds, hidden);
  const one = g.int64s(1);
  const bias = g.op('Expand', [maskBias, g.op('Concat', [one, one, shapes.tokens, one], { axis: 0 })]);
  const dense = (x: Value, name: string, size: number[]): Value =>
    linear(g, x, t.get(`${name}.weight`, size), t.get(`${name}.bias`, size.slice(0, 1)));
  const norm = (name: string): { weight: TensorEntry; bias: TensorEntry } => ({
    weight: t.get(`${name}.weight`, [hidden]),
    bias: t.get(`${name}.bias`, [hidden]),
  });
  const start = g.int64s(0);
  const heedPosition = (x: Value): Value =>
    g.op('RotaryEmbedding', [x, start, g.as('float16', cos), g.as('float16', sin)]);

  const words = g.op('Gather', [g.weight(wordEmbeddings), inputIds], { axis: 0 });
  const scaled = g.op('Mul', [words, g.constant(Float32Array.of(scale), [])]);
  let sum = g.op('Reshape', [scaled, shapes.rows]);
  const first = norm(`${layerPrefix(0)}${names.attentionNorm}`);
  let normed = g.op('LayerNormalization', [sum, g.weight(first.weight), g.weight(first.bias)], {
    axis: -1,
    epsilon: float(epsilon),
  });

  for (let layer = 0; layer < layers; layer += 1) {
    const p = layerPrefix(layer);
    const [q, k, v] = [names.query, names.key, names.value].map((name) =>
      g.op('Reshape', [dense(normed, p + name, [hidden, hidden]), shapes.tokenVectors]),
    ) as [Value, Value, Value];
    const mixed = attention(g, [heedPosition(q), heedPosition(k), v], bias, { heads, hidden }, form);
    const attended = g.op('Reshape', [mixed, shapes.rows]);
    const projected = linear(g, attended, t.get(`${p}${names.projection}.weight`, [hidden, hidden]));
    const projectionBias = t.get(`${p}${names.projection}.bias`, [hidden]);
    ({ normed, sum } = addAndNorm(g, projected, projectionBias, sum, norm(p + names.feedForwardNorm), epsilon));

    const up = linear(g, normed, t.get(`${p}${names.up}.weight`, [intermediate, hidden]));
    const activated = g.op('BiasGelu', [up, g.productWeight(t.get(`${p}${names.up}.bias`, [intermediate]))]);
    const down = linear(g, activated, t.get(`${p}${names.down}.weight`, [hidden, intermediate]));
    const next = layer + 1 < layers ? layerPrefix(layer + 1) + names.attentionNorm : names.finalNorm;
    ({ normed, sum } = addAndNorm(g, down, t.get(`${p}${names.down}.bias`, [hidden]), sum, norm(next), epsilon));
    if (layer + 1 < layers) g.boundary(sum, hidden);
  }
  g.op('Reshape', [normed, shapes.tokenVectors], {}, 'token_vectors');
  g.output('token_vectors', 'float32', ['batch', 'tokens', hidden]);
  return {
    kind: 'esm2',
    dims: { hidden, layers, heads, intermediate, vocabulary },
    segments: (count) => g.segments(count),
    reduced: g.reduced,
    weights: g.tensors,
    constants: { epsilon, scale },
    wordEmbeddings,
    inverseFrequencies: table === undefined ? inverseFrequencies(hidden / heads) : await readTensor(table),
  };
}

/** config.json names the number of heads; the rotary table has half a head's size. Where both are, they must agree. */
function headCount(
  t: Tensors,
  hidden: number,
  table: TensorEntry | undefined,
  config: ModelConfig | undefined,
): number {
  const fromTable = table && hidden / (2 * table.shape[0]!);
  const fromConfig = config?.['num_attention_heads'] as number | undefined;
  const heads = fromConfig ?? fromTable;
  if (heads === undefined || !Number.isInteger(hidden / (2 * heads)) || (fromTable ?? heads) !== heads) {
    throw t.error(
      `number of attention heads is ${heads} (config.json: ${fromConfig}; rotary table: ${fromTable}), ` +
        `expected one number that divides ${hidden / 2}`,
    );
  }
  return heads;
}

/** Rotary angles of Su et al. 2021: 10000^(-2i / head size). */
function inverseFrequencies(headSize: number): Float32Array {
  return Float32Array.from({ length: headSize / 2 }, (_, i) => 1 / 10000 ** ((2 * i) / headSize));
}
