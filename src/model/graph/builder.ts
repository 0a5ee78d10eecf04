import type { TensorDtype, TensorEntry } from '../checkpoint/types.js';
import { encodeOnnxModel, MICROSOFT, ONNX_TYPE, type OnnxAttribute, type OnnxGraph, type OnnxType } from './onnx.js';

/** Name of a value (an edge) in a graph. */
export type Value = string;

/** Attributes of a node: integers, lists of them, or floats marked by {@link float}. */
export type Attributes = Record<string, number | number[] | { float: number }>;

/** Marks an attribute as a float: ONNX tells 1 from 1.0. */
export function float(value: number): { float: number } {
  return { float: value };
}

const WEIGHT_TYPE: Record<TensorDtype, OnnxType> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16', I64: 'int64' };

const MICROSOFT_OPS = new Set(['MultiHeadAttention', 'RotaryEmbedding', 'BiasGelu', 'SkipLayerNormalization']);

const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

/**
 * Collects nodes and tensors of one ONNX graph. Weights are named, not copied: they stay where the checkpoint has them.
 * @param locate name of a checkpoint's file inside the folder that onnxruntime is told to look in.
 */
export class GraphBuilder {
  private readonly graph: OnnxGraph = { node: [], initializer: [], input: [], output: [] };
  private readonly weights = new Map<string, Value>();
  private names = 0;
  /** The checkpoint's tensors that the graph refers to. */
  readonly tensors: TensorEntry[] = [];

  constructor(private readonly locate: (file: string) => string) {}

  input(name: string, type: OnnxType, dims: (number | string)[]): Value {
    this.graph.input.push({ name, type, dims });
    return name;
  }

  output(value: Value, type: OnnxType, dims: (number | string)[]): void {
    this.graph.output.push({ name: value, type, dims });
  }

  /** A small constant inside the model bytes. */
  constant(values: Float32Array | BigInt64Array, dims: number[]): Value {
    const name = this.fresh('constant');
    const dataType = values instanceof Float32Array ? ONNX_TYPE.float32 : ONNX_TYPE.int64;
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.graph.initializer.push({ name, dims, dataType, rawData });
    return name;
  }

  /** A list of integers, as shapes and indices want them. */
  int64s(...values: number[]): Value {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length]);
  }

  /** A checkpoint's tensor as float32: read in place, and widened by a Cast when it is stored shorter. */
  weight(tensor: TensorEntry): Value {
    const known = this.weights.get(tensor.name);
    if (known !== undefined) return known;
    this.graph.initializer.push({
      name: tensor.name,
      dims: tensor.shape,
      dataType: ONNX_TYPE[WEIGHT_TYPE[tensor.dtype]],
      dataLocation: 1,
      externalData: [
        { key: 'location', value: this.locate(tensor.file) },
        { key: 'offset', value: String(tensor.offset) },
        { key: 'length', value: String(tensor.bytes) },
      ],
    });
    this.tensors.push(tensor);
    const value = tensor.dtype === 'F32' ? tensor.name : this.op('Cast', [tensor.name], { to: ONNX_TYPE.float32 });
    this.weights.set(tensor.name, value);
    return value;
  }

  /** Adds a node with one output. An empty input name leaves an optional input out. */
  op(opType: string, input: Value[], attributes: Attributes = {}, output: Value = this.fresh(opType)): Value {
    this.node(opType, input, attributes, [output]);
    return output;
  }

  /** Adds a node with `count` outputs. */
  ops(opType: string, input: Value[], count: number, attributes: Attributes = {}): Value[] {
    const output = Array.from({ length: count }, () => this.fresh(opType));
    this.node(opType, input, attributes, output);
    return output;
  }

  build(): Uint8Array {
    return encodeOnnxModel(this.graph);
  }

  private node(opType: string, input: Value[], attributes: Attributes, output: Value[]): void {
    const domain = MICROSOFT_OPS.has(opType) ? MICROSOFT : '';
    const attribute = Object.entries(attributes).map(([name, value]): OnnxAttribute => {
      if (typeof value === 'number') return { name, type: ATTRIBUTE_INT, i: value };
      if (Array.isArray(value)) return { name, type: ATTRIBUTE_INTS, ints: value };
      return { name, type: ATTRIBUTE_FLOAT, f: value.float };
    });
    this.graph.node.push({ opType, domain, name: output[0]!, input, output, attribute });
  }

  private fresh(stem: string): Value {
    this.names += 1;
    return `${stem}_${this.names}`;
  }
}
