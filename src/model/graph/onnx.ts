import protobuf from 'protobufjs';

/** ONNX element types by their number in `TensorProto.DataType`. */
export const ONNX_TYPE = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, float16: 10, bfloat16: 16 } as const;

/** One of {@link ONNX_TYPE}. */
export type OnnxType = keyof typeof ONNX_TYPE;

export interface OnnxAttribute {
  name: string;
  type: number;
  f?: number;
  i?: number;
  ints?: number[];
}

export interface OnnxNode {
  opType: string;
  domain: string;
  name: string;
  input: string[];
  output: string[];
  attribute: OnnxAttribute[];
}

export interface OnnxTensor {
  name: string;
  dims: number[];
  dataType: number;
  /** Little-endian elements, for small constants. */
  rawData?: Uint8Array;
  /** `location`, `offset` and `length` of the elements in another file. */
  externalData?: { key: string; value: string }[];
  /** 1 where `externalData` holds the elements. */
  dataLocation?: number;
}

/** An input or output; a dimension is a size or the name of one that is known at run time. */
export interface OnnxValue {
  name: string;
  type: OnnxType;
  dims: (number | string)[];
}

export interface OnnxGraph {
  node: OnnxNode[];
  initializer: OnnxTensor[];
  input: OnnxValue[];
  output: OnnxValue[];
}

/** What `RotaryEmbedding`, `MultiHeadAttention` and other fused operators of onnxruntime belong to. */
export const MICROSOFT = 'com.microsoft';

const OPSET = 20;
const IR_VERSION = 9;

type FieldSpec = [type: string, id: number, repeated?: 'repeated'];

/** The part of onnx.proto (ONNX 1.15, IR version 9) that our graphs need, with its field numbers. */
const messages: Record<string, Record<string, FieldSpec>> = {
  ModelProto: {
    irVersion: ['int64', 1],
    producerName: ['string', 2],
    graph: ['GraphProto', 7],
    opsetImport: ['OperatorSetIdProto', 8, 'repeated'],
  },
  OperatorSetIdProto: { domain: ['string', 1], version: ['int64', 2] },
  GraphProto: {
    node: ['NodeProto', 1, 'repeated'],
    name: ['string', 2],
    initializer: ['TensorProto', 5, 'repeated'],
    input: ['ValueInfoProto', 11, 'repeated'],
    output: ['ValueInfoProto', 12, 'repeated'],
  },
  NodeProto: {
    input: ['string', 1, 'repeated'],
    output: ['string', 2, 'repeated'],
    name: ['string', 3],
    opType: ['string', 4],
    attribute: ['AttributeProto', 5, 'repeated'],
    domain: ['string', 7],
  },
  AttributeProto: {
    name: ['string', 1],
    f: ['float', 2],
    i: ['int64', 3],
    ints: ['int64', 8, 'repeated'],
    type: ['int32', 20],
  },
  TensorProto: {
    dims: ['int64', 1, 'repeated'],
    dataType: ['int32', 2],
    name: ['string', 8],
    rawData: ['bytes', 9],
    externalData: ['StringStringEntryProto', 13, 'repeated'],
    dataLocation: ['int32', 14],
  },
  StringStringEntryProto: { key: ['string', 1], value: ['string', 2] },
  ValueInfoProto: { name: ['string', 1], type: ['TypeProto', 2] },
  TypeProto: { tensorType: ['TypeProtoTensor', 1] },
  TypeProtoTensor: { elemType: ['int32', 1], shape: ['TensorShapeProto', 2] },
  TensorShapeProto: { dim: ['Dimension', 1, 'repeated'] },
  Dimension: { dimValue: ['int64', 1], dimParam: ['string', 2] },
};

const ModelProto = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    Object.entries(messages).map(([message, fields]) => [
      message,
      {
        fields: Object.fromEntries(
          Object.entries(fields).map(([name, [type, id, rule]]) => [name, { type, id, ...(rule && { rule }) }]),
        ),
      },
    ]),
  ),
}).lookupType('ModelProto');

/** The bytes of an ONNX model (a serialized `ModelProto`). */
export function encodeOnnxModel(graph: OnnxGraph): Uint8Array {
  return ModelProto.encode({
    irVersion: IR_VERSION,
    producerName: 'virnucpro',
    opsetImport: [
      { domain: '', version: OPSET },
      { domain: MICROSOFT, version: 1 },
    ],
    graph: { ...graph, name: 'virnucpro', input: graph.input.map(toValueInfo), output: graph.output.map(toValueInfo) },
  }).finish();
}

function toValueInfo({ name, type, dims }: OnnxValue): object {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: ONNX_TYPE[type], shape: { dim } } } };
}
