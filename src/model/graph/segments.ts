import { encodeOnnxModel, type OnnxGraph, type OnnxNode, type OnnxValue } from './onnx.js';

/** A part of a graph that is a model by itself; chained, a graph's segments compute what the whole does, bit by bit. */
export interface GraphSegment {
  /** Serialized ONNX model with one output. */
  bytes: Uint8Array;
  /** The whole graph's inputs that it takes. */
  inputs: string[];
  /** Its input of the segment before, float32 [rows, width]; the first segment has none. */
  carried?: { name: string; width: number };
}

/** A value between two layers, float32 [rows, width]: all that the layers behind it take of those before. */
export interface Boundary {
  value: string;
  width: number;
}

/**
 * Cuts a graph of one output into `count` segments of about as many layers each, or as many as it has layers. What is made
 * of inputs and weights alone, such as positions, is made in each segment that takes it.
 * @param boundaries between each layer and the next, in order.
 */
export function segmentsOf(graph: OnnxGraph, boundaries: readonly Boundary[], count: number): GraphSegment[] {
  const layers = boundaries.length + 1;
  const segments = Math.min(count, layers);
  const cuts = Array.from(
    { length: segments - 1 },
    (_, i) => boundaries[Math.round(((i + 1) * layers) / segments) - 1]!,
  );
  return [...cuts, undefined].map((to, i) => segment(graph, cuts[i - 1], to));
}

function segment(graph: OnnxGraph, from: Boundary | undefined, to: Boundary | undefined): GraphSegment {
  const output = to === undefined ? graph.output : [carriedValue(to)];
  const { node, used } = nodesFor(graph, output[0]!.name, from?.value);
  const inputs = graph.input.filter(({ name }) => used.has(name));
  const bytes = encodeOnnxModel({
    node,
    initializer: graph.initializer.filter(({ name }) => used.has(name)),
    input: from === undefined ? inputs : [...inputs, carriedValue(from)],
    output,
  });
  return {
    bytes,
    inputs: inputs.map(({ name }) => name),
    ...(from && { carried: { name: from.value, width: from.width } }),
  };
}

/** The nodes that `output` needs, in their order, when `given` need not be made; and the names of all values they take. */
function nodesFor({ node }: OnnxGraph, output: string, given?: string): { node: OnnxNode[]; used: Set<string> } {
  const used = new Set([output]);
  const needed: OnnxNode[] = [];
  for (const one of [...node].reverse()) {
    if (!one.output.some((value) => used.has(value) && value !== given)) continue;
    needed.push(one);
    for (const value of one.input) used.add(value);
  }
  return { node: needed.reverse(), used };
}

function carriedValue({ value, width }: Boundary): OnnxValue {
  return { name: value, type: 'float32', dims: ['rows', width] };
}
