import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomically } from '../../src/io/local-store.js';
import { goldenModels } from '../../test/support/golden.js';
import { type StreamedTensor, writeStreamedTensors } from './safetensors-writer.js';

interface Dims {
  layers: number;
  hidden: number;
  heads: number;
  intermediate: number;
}

/** Dimensions as the models' authors published them in their config.json. */
const ESM2: Readonly<Record<string, Dims>> = {
  'esm2-8m': { layers: 6, hidden: 320, heads: 20, intermediate: 1280 },
  'esm2-35m': { layers: 12, hidden: 480, heads: 20, intermediate: 1920 },
  'esm2-150m': { layers: 30, hidden: 640, heads: 20, intermediate: 2560 },
  'esm2-650m': { layers: 33, hidden: 1280, heads: 20, intermediate: 5120 },
  'esm2-3b': { layers: 36, hidden: 2560, heads: 40, intermediate: 10240 },
};
const DNABERT2: Readonly<Record<string, Dims>> = {
  'dnabert2-117m': { layers: 12, hidden: 768, heads: 12, intermediate: 3072 },
};

/** What {@link makeModel} can make. */
export const MODEL_NAMES = [...Object.keys(DNABERT2), ...Object.keys(ESM2)];

/** Keeps activations of the usual size, as trained weights do. */
const WEIGHT_RANGE = 0.035;

/**
 * Makes a checkpoint folder in the form of the Hugging Face hub, unless it is there. Beside an ESM-2's weights it has a
 * `classifier.safetensors` that takes that model's vectors together with DNABERT-2's.
 * @returns the checkpoint's folder.
 */
export async function makeModel(folder: string, name: string, seed = 1): Promise<string> {
  const to = path.join(folder, name);
  await mkdir(to, { recursive: true });
  const esm2 = ESM2[name];
  const dnabert2 = DNABERT2[name];
  if (esm2 !== undefined) {
    await copyFile(path.join(goldenModels.proteinModel, 'vocab.txt'), path.join(to, 'vocab.txt'));
    await writeConfig(to, { model_type: 'esm', ...configOf(esm2), vocab_size: 33, token_dropout: true });
    await writeWeights(path.join(to, 'classifier.safetensors'), classifierTensors(esm2.hidden + 768), seed);
    await writeWeights(path.join(to, 'model.safetensors'), esm2Tensors(esm2), seed);
  } else if (dnabert2 !== undefined) {
    await copyFile(path.join(goldenModels.dnaModel, 'tokenizer.json'), path.join(to, 'tokenizer.json'));
    await writeConfig(to, { model_type: 'bert', ...configOf(dnabert2), vocab_size: 4096 });
    await writeWeights(path.join(to, 'model.safetensors'), dnabert2Tensors(dnabert2), seed);
  } else throw new Error(`no model ${name}; there are: ${MODEL_NAMES.join(', ')}`);
  return to;
}

function configOf({ layers, hidden, heads, intermediate }: Dims): object {
  return {
    num_hidden_layers: layers,
    hidden_size: hidden,
    num_attention_heads: heads,
    intermediate_size: intermediate,
  };
}

function writeConfig(folder: string, config: object): Promise<void> {
  return writeFile(path.join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

type Shapes = [name: string, shape: number[]][];

const linear = (name: string, out: number, into: number): Shapes => [
  [`${name}.weight`, [out, into]],
  [`${name}.bias`, [out]],
];
const norm = (name: string, size: number): Shapes => [
  [`${name}.weight`, [size]],
  [`${name}.bias`, [size]],
];

function esm2Tensors({ layers, hidden, intermediate }: Dims): Shapes {
  const layer = (p: string): Shapes => [
    ...norm(`${p}attention.LayerNorm`, hidden),
    ...['query', 'key', 'value'].flatMap((part) => linear(`${p}attention.self.${part}`, hidden, hidden)),
    ...linear(`${p}attention.output.dense`, hidden, hidden),
    ...norm(`${p}LayerNorm`, hidden),
    ...linear(`${p}intermediate.dense`, intermediate, hidden),
    ...linear(`${p}output.dense`, hidden, intermediate),
  ];
  return [
    ['esm.embeddings.word_embeddings.weight', [33, hidden]],
    ...Array.from({ length: layers }, (_, i) => layer(`esm.encoder.layer.${i}.`)).flat(),
    ...norm('esm.encoder.emb_layer_norm_after', hidden),
  ];
}

function dnabert2Tensors({ layers, hidden, intermediate }: Dims): Shapes {
  const layer = (p: string): Shapes => [
    ...linear(`${p}attention.self.Wqkv`, 3 * hidden, hidden),
    ...linear(`${p}attention.output.dense`, hidden, hidden),
    ...norm(`${p}attention.output.LayerNorm`, hidden),
    [`${p}mlp.gated_layers.weight`, [2 * intermediate, hidden]],
    ...linear(`${p}mlp.wo`, hidden, intermediate),
    ...norm(`${p}mlp.layernorm`, hidden),
  ];
  return [
    ['embeddings.word_embeddings.weight', [4096, hidden]],
    ['embeddings.token_type_embeddings.weight', [2, hidden]],
    ...norm('embeddings.LayerNorm', hidden),
    ...Array.from({ length: layers }, (_, i) => layer(`encoder.layer.${i}.`)).flat(),
  ];
}

function classifierTensors(inputSize: number): Shapes {
  return [
    ...linear('hidden_layer', 512, inputSize),
    ...norm('bn1', 512),
    ['bn1.running_mean', [512]],
    ['bn1.running_var', [512]],
    ...linear('output_layer', 2, 512),
  ];
}

async function writeWeights(file: string, shapes: Shapes, seed: number): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there !== undefined) return;
  const random = randomFill(seed);
  const tensors = shapes.map(([name, shape]): StreamedTensor => ({
    name,
    shape,
    // Norms start as they do before a training: scale and variance 1, the rest 0.
    fill: shape.length > 1 ? random : (piece) => piece.fill(/(norm|bn1).*(weight|var)$/i.test(name) ? 1 : 0),
  }));
  await writeAtomically(file, (temporary) => writeStreamedTensors(temporary, tensors));
}

/** Uniform in ±WEIGHT_RANGE. xorshift32: billions of numbers, and no statistics hang on them. */
function randomFill(seed: number): (piece: Float32Array) => void {
  let state = seed >>> 0 || 1;
  return (piece) => {
    for (let i = 0; i < piece.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      piece[i] = (state / 2 ** 31) * WEIGHT_RANGE;
    }
  };
}
