import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../contract/failures.js';
import type { Precision } from '../contract/models.js';
import { createDnaTokenizer } from '../sequence/tokenize-dna.js';
import { createProteinTokenizer } from '../sequence/tokenize-protein.js';
import type { Tokenizer } from '../sequence/tokenizer.js';
import { openCheckpoint } from './checkpoint/open.js';
import { ELEMENT_BYTES } from './checkpoint/tensor-size.js';
import type { Checkpoint } from './checkpoint/types.js';
import { assertFinite } from './finite.js';
import { fingerprint } from './fingerprint.js';
import { buildDnabert2, isDnabert2 } from './graph/dnabert2.js';
import type { EncoderDims, EncoderGraph, EncoderKind, GraphForm, ModelConfig } from './graph/encoder.js';
import { buildEsm2, isEsm2 } from './graph/esm2.js';
import { weightsFolder } from './weights-folder.js';

/** An encoder that is ready to load: its graph, where its weights lie, and its tokenizer. */
export interface Model {
  checkpoint: Checkpoint;
  kind: EncoderKind;
  dims: EncoderDims;
  precision: Precision;
  /** Number of weights. */
  parameters: number;
  /** Memory that they take. */
  bytes: number;
  /** Hex SHA-256 that tells this model from others ({@link fingerprint}), without reading all of it. */
  digest: string;
  graph: EncoderGraph;
  /** Its graph in another form, with the same inputs and outputs. */
  graphAs(form: GraphForm): Promise<EncoderGraph>;
  /** Real folder of the checkpoint's files that `graph` names; {@link reducedWeights} makes that of its `reduced` ones. */
  weightsFolder: string;
  tokenizer: Tokenizer;
}

/** Of a tokenizer, vocabulary or configuration; DNABERT-2's tokenizer has 0.2 MB. */
const MAX_TEXT_BYTES = 16 << 20;

/** What a catalogued model must turn out to be. */
export interface ExpectedModel {
  kind: EncoderKind;
  hidden: number;
  layers: number;
  heads: number;
}

/**
 * Opens a DNABERT-2/-S or ESM-2 checkpoint of any size and format. The checkpoint says which it is. No weight is read
 * but the word embeddings, and nothing is written beside it.
 * @param source a folder or checkpoint file.
 * @param cacheDir our cache folder, for shards that lie in several folders.
 * @param precision what its products are computed in; below fp32 its weights are still to be reduced.
 * @throws ModelError when it is no such model, is incomplete, or is not what was `expected`.
 */
export async function openModel(
  source: string,
  cacheDir: string,
  expected?: ExpectedModel,
  precision: Precision = 'fp32',
): Promise<Model> {
  const checkpoint = await openCheckpoint(source);
  // In a hub cache the files are links; the tokenizer lies beside the link, not beside the real file.
  const folder = (await stat(source)).isDirectory() ? source : path.dirname(source);
  const config = (await readJson(path.join(folder, 'config.json'))) as ModelConfig | undefined;
  const weights = await weightsFolder(checkpoint, cacheDir);
  const graphAs = (form: GraphForm): Promise<EncoderGraph> => buildGraph(checkpoint, config, weights.locate, form);
  const graph = await graphAs({ precision });
  const { kind, dims } = graph;
  if (expected !== undefined) assertExpected(graph, expected, source);
  const tokenizer = kind === 'dnabert2' ? await openDnaTokenizer(folder) : await openProteinTokenizer(folder);
  if (tokenizer.size > dims.vocabulary) {
    throw new ModelError({
      what: `tokenizer has ${tokenizer.size} tokens, but ${graph.wordEmbeddings.name} only ${dims.vocabulary} rows`,
      where: folder,
      next: 'Use the tokenizer that came with this checkpoint',
    });
  }
  await assertFinite([graph.wordEmbeddings]);
  const parameters = graph.weights.reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  return {
    checkpoint,
    kind,
    dims,
    precision,
    parameters,
    bytes: bytesOf(graph, precision),
    digest: await digestOf(graph),
    graph,
    graphAs,
    weightsFolder: weights.folder,
    tokenizer,
  };
}

async function buildGraph(
  checkpoint: Checkpoint,
  config: ModelConfig | undefined,
  locate: (file: string) => string,
  form: GraphForm,
): Promise<EncoderGraph> {
  if (isDnabert2(checkpoint)) return buildDnabert2(checkpoint, config, locate, form);
  if (isEsm2(checkpoint)) return buildEsm2(checkpoint, config, locate, form);
  const some = [...checkpoint.tensors.keys()].slice(0, 3).join(', ');
  throw new ModelError({
    what: `checkpoint is neither a DNABERT-2/-S nor an ESM-2 (its tensors: ${some}, ...)`,
    where: checkpoint.source,
    next: 'Name a DNABERT-S, DNABERT-2 or ESM-2 checkpoint',
  });
}

function assertExpected({ kind, dims }: EncoderGraph, expected: ExpectedModel, source: string): void {
  const found: ExpectedModel = { kind, hidden: dims.hidden, layers: dims.layers, heads: dims.heads };
  const describe = (m: ExpectedModel): string => `${m.kind}, hidden ${m.hidden}, ${m.layers} layers, ${m.heads} heads`;
  if (describe(found) === describe(expected)) return;
  throw new ModelError({
    what: `checkpoint is ${describe(found)}, expected ${describe(expected)}`,
    where: source,
    next: 'Put the right model there, or name this one by its path',
  });
}

async function openDnaTokenizer(folder: string): Promise<Tokenizer> {
  const file = path.join(folder, 'tokenizer.json');
  const json = await readJson(file);
  if (json === undefined) {
    throw new ModelError({
      what: 'tokenizer.json is missing',
      where: folder,
      next: "Put the model's tokenizer.json beside the checkpoint",
    });
  }
  try {
    return createDnaTokenizer(json, (await readJson(path.join(folder, 'tokenizer_config.json'))) ?? {});
  } catch (cause) {
    throw new ModelError({
      what: `not a usable tokenizer: ${(cause as Error).message}`,
      where: file,
      next: 'Download the file again',
      cause,
    });
  }
}

/** fair-esm's checkpoints come without a vocabulary: all ESM-2 share one. */
async function openProteinTokenizer(folder: string): Promise<Tokenizer> {
  const text = await readIfPresent(path.join(folder, 'vocab.txt'));
  return text === undefined ? createProteinTokenizer() : createProteinTokenizer(text.trimEnd().split(/\r?\n/));
}

async function readJson(file: string): Promise<object | undefined> {
  const text = await readIfPresent(file);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below, the same for text that is no JSON and JSON that is no object.
  }
  throw new ModelError({ what: 'not a JSON object', where: file, next: 'Download the file again' });
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    const { size } = await stat(file);
    if (size <= MAX_TEXT_BYTES) return await readFile(file, 'utf8');
    throw new Error(`${size} bytes, allowed are ${MAX_TEXT_BYTES}`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new ModelError({ what: `cannot read: ${message}`, where: file, next: 'Check the file', cause: error });
  }
}

/** Weights are used as float32, reduced ones as they lie in their file; in fp16 those of an F16 checkpoint as they are. */
function bytesOf({ reduced, weights }: EncoderGraph, precision: Precision): number {
  if (reduced !== undefined) return reduced.bytes;
  const values = weights.reduce((sum, { dtype, bytes }) => sum + bytes / ELEMENT_BYTES[dtype], 0);
  return values * (precision === 'fp16' ? ELEMENT_BYTES.F16 : ELEMENT_BYTES.F32);
}

function digestOf({ kind, dims, weights, constants, inverseFrequencies }: EncoderGraph): Promise<string> {
  return fingerprint(weights, JSON.stringify([kind, dims, constants, [...(inverseFrequencies ?? [])]]));
}
