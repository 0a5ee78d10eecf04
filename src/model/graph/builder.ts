import type { Precision } from '../../contract/models.js';
import type { TensorDtype, TensorEntry } from '../checkpoint/types.js';
import { REDUCED_FILE, ReducedLayout } from '../reduced-layout.js';
import { encodeOnnxModel, MICROSOFT, ONNX_TYPE, type OnnxAttribute, type OnnxGraph, type OnnxType } from './onnx.js';
import { type Boundary, type GraphSegment, segmentsOf } from './segments.js';

/** Name of a value (an edge) in a graph. */
export type Value = string;

/** Attributes of a node: integers, lists of them, or floats marked by {@link float}. */
export type Attributes = Record<string, number | number[] | { float: number }>;

/** Marks an attribute as a float: ONNX tells 1 from 1.0. */
export function float(value: number): { float: number } {
  return { float: value };
}

const WEIGHT_TYPE: Record<TensorDtype, OnnxType> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16', I64: 'int64' };

const MICROSOFT_OPS = new Set(['MultiHeadAttention', 'RotaryEmbedding', 'BiasGelu', 'QGemm']);

const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

const CONSTANT_TYPE = {
  Float32Array: 'float32',
  BigInt64Array: 'int64',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
} as const;

/** Values of a small constant. */
export type ConstantValues = Float32Array | BigInt64Array | Int8Array | Uint8Array;

/**
 * Collects nodes and tensors of one ONNX graph. Weights are named, not copied: in fp32 they stay where the checkpoint has
 * them, at a lower precision they lie in a file that is still to be made of it ({@link reduced}).
 * @param locate name of a checkpoint's file inside the folder that onnxruntime is told to look in.
 * @param stored the checkpoint's tensors: if all are F16, fp16 takes them as they are.
 */
export class GraphBuilder {
  private readonly graph: OnnxGraph = { node: [], initializer: [], input: [], output: [] };
  private readonly made = new Map<string, unknown>();
  private readonly madeInLayer = new Map<string, unknown>();
  private readonly boundaries: Boundary[] = [];
  private names = 0;
  /** The file of reduced weights; undefined where the checkpoint's own serve: in fp32, and in fp16 if it has such. */
  readonly reduced: ReducedLayout | undefined;
  /** The checkpoint's tensors that the graph refers to. */
  readonly tensors: TensorEntry[] = [];

  constructor(
    private readonly locate: (file: string) => string,
    readonly precision: Precision = 'fp32',
    stored: Iterable<TensorEntry> = [],
  ) {
    const inPlace = precision === 'fp32' || (precision === 'fp16' && isAllF16(stored));
    this.reduced = inPlace ? undefined : new ReducedLayout();
  }

  /** Declares an input, a string standing for a size that each call has its own of. Returns its value, which has its name. */
  input(name: string, type: OnnxType, dims: (number | string)[]): Value {
    this.graph.input.push({ name, type, dims });
    return name;
  }

  /** Declares a value as an output, with sizes as those of {@link input}. */
  output(value: Value, type: OnnxType, dims: (number | string)[]): void {
    this.graph.output.push({ name: value, type, dims });
  }

  /** A small constant inside the model bytes. */
  constant(values: ConstantValues, dims: number[]): Value {
    const name = this.fresh('constant');
    const dataType = ONNX_TYPE[CONSTANT_TYPE[values.constructor.name as keyof typeof CONSTANT_TYPE]];
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
    return this.once(tensor.name, () => {
      this.tensors.push(tensor);
      const { name, shape, bytes } = tensor;
      const type = WEIGHT_TYPE[tensor.dtype];
      if (this.reduced === undefined) {
        this.external(name, type, shape, { location: this.locate(tensor.file), offset: tensor.offset, bytes });
      } else {
        this.external(name, type, shape, { location: REDUCED_FILE, offset: this.reduced.addAsIs(tensor), bytes });
      }
      return type === 'float32' ? name : this.op('Cast', [name], { to: ONNX_TYPE.float32 });
    });
  }

  /**
   * A checkpoint's tensor in the type of products: in fp16 float16, in place where the checkpoint has it so, else from the
   * file of reduced weights; at other precisions float32.
   */
  productWeight(tensor: TensorEntry): Value {
    if (this.precision !== 'fp16') return this.weight(tensor);
    return this.once(tensor.name, () => {
      this.tensors.push(tensor);
      const { name, shape, file, offset, bytes } = tensor;
      const place = this.reduced?.addFp16(tensor);
      const location = place === undefined ? this.locate(file) : REDUCED_FILE;
      this.external(name, 'float16', shape, { location, ...(place ?? { offset, bytes }) });
      return name;
    });
  }

  /** In fp16, a value as float16 or float32, whichever it is now. At other precisions all are float32 and stay it. */
  as(type: 'float16' | 'float32', value: Value): Value {
    if (this.precision !== 'fp16') return value;
    return this.once(`${type} of ${value}`, () => this.op('Cast', [value], { to: ONNX_TYPE[type] }));
  }

  /** A matrix [out, in] as int8 with a scale for each row, [out], from the file of reduced weights. */
  int8Weight(tensor: TensorEntry): { values: Value; scales: Value } {
    return this.once(`int8 ${tensor.name}`, () => {
      this.tensors.push(tensor);
      const place = this.reduced!.addInt8(tensor);
      const scales = `${tensor.name}.scales`;
      this.external(tensor.name, 'int8', tensor.shape, { location: REDUCED_FILE, ...place.values });
      this.external(scales, 'float32', tensor.shape.slice(0, 1), { location: REDUCED_FILE, ...place.scales });
      return { values: tensor.name, scales };
    });
  }

  /** {@link once} in a layer: for what is made of the layer's own values. */
  onceInLayer<T>(key: string, make: () => T): T {
    if (!this.madeInLayer.has(key)) this.madeInLayer.set(key, make());
    return this.madeInLayer.get(key) as T;
  }

  /** What `make` gives, made once for each key: for values that several nodes take. */
  once<T>(key: string, make: () => T): T {
    if (!this.made.has(key)) this.made.set(key, make());
    return this.made.get(key) as T;
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

  /** Declares that a layer ends with `value`, float32 [rows, width], and that later ones take nothing else of it or before it. */
  boundary(value: Value, width: number): void {
    this.boundaries.push({ value, width });
    this.madeInLayer.clear();
  }

  /** The serialized ONNX model. */
  build(): Uint8Array {
    return encodeOnnxModel(this.graph);
  }

  /** The model in up to `count` segments, by the boundaries between layers. */
  segments(count: number): GraphSegment[] {
    return segmentsOf(this.graph, this.boundaries, count);
  }

  private external(
    name: string,
    type: OnnxType,
    dims: number[],
    { location, offset, bytes }: { location: string; offset: number; bytes: number },
  ): void {
    const externalData = [
      { key: 'location', value: location },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(bytes) },
    ];
    this.graph.initializer.push({ name, dims, dataType: ONNX_TYPE[type], dataLocation: 1, externalData });
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

function isAllF16(tensors: Iterable<TensorEntry>): boolean {
  const dtypes = new Set(Array.from(tensors, ({ dtype }) => dtype));
  dtypes.delete('I64');
  return dtypes.size === 1 && dtypes.has('F16');
}
