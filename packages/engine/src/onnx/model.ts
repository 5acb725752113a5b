/**
 * An ONNX graph as plain data, and its encoding as a ModelProto.
 * Source of the field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { EngineError } from "../error.ts";
import { ProtoMessage } from "./protobuf.ts";

/** Element types this engine writes. */
export type OnnxType = "float32" | "float16" | "int64" | "int32" | "uint8" | "int8" | "bool";

/** A graph input or output; a string dimension is symbolic. */
export interface ValueInfo {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly (number | string)[];
}

/** A constant tensor: little-endian bytes in memory, or a slice of a file beside the model (`external_data`). */
export interface Initializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  readonly data: ArrayBufferView | { readonly file: string; readonly offset: number; readonly length: number };
}

/** A node attribute. A bare number is an int; everything else names its kind. */
export type AttributeValue =
  | number
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly tensor: Initializer };

/** One operator call. `domain` is empty for ai.onnx; `com.microsoft` for ONNX Runtime's own operators. */
export interface OnnxNode {
  readonly op: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

/** A whole graph; nodes in topological order. */
export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: readonly Initializer[];
}

/** IR version and operator sets of every model written here; ONNX Runtime 1.30 reads them. */
const onnxVersions = { ir: 10, opset: 21, microsoft: 1 } as const;

const typeCodes: Readonly<Record<OnnxType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};

/**
 * Encodes a graph as the bytes of an `.onnx` file.
 * Initializer bytes are copied once, into the result.
 * @throws EngineError GRAPH when the result would pass protobuf's limit of 2 GiB (use external data).
 * @example
 * const bytes = encodeModel({ name: "double", initializers: [],
 *   inputs: [{ name: "x", type: "float32", dims: ["n"] }], outputs: [{ name: "y", type: "float32", dims: ["n"] }],
 *   nodes: [{ op: "Add", inputs: ["x", "x"], outputs: ["y"] }] });
 */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const model = new ProtoMessage()
    .int(1, onnxVersions.ir)
    .string(2, "mlsec")
    .message(7, encodeGraph(graph))
    .message(8, new ProtoMessage().string(1, "").int(2, onnxVersions.opset))
    .message(8, new ProtoMessage().string(1, "com.microsoft").int(2, onnxVersions.microsoft));
  if (model.size >= 2 ** 31) {
    throw new EngineError("GRAPH", "model exceeds 2 GiB: keep weights in external data", { got: model.size });
  }
  return model.finish();
}

function encodeGraph(graph: OnnxGraph): ProtoMessage {
  const out = new ProtoMessage();
  for (const node of graph.nodes) out.message(1, encodeNode(node));
  out.string(2, graph.name);
  for (const initializer of graph.initializers) out.message(5, encodeTensor(initializer));
  for (const input of graph.inputs) out.message(11, encodeValue(input));
  for (const output of graph.outputs) out.message(12, encodeValue(output));
  return out;
}

function encodeNode(node: OnnxNode): ProtoMessage {
  const out = new ProtoMessage();
  for (const input of node.inputs) out.string(1, input);
  for (const output of node.outputs) out.string(2, output);
  if (node.name !== undefined) out.string(3, node.name);
  out.string(4, node.op);
  for (const [name, value] of Object.entries(node.attributes ?? {})) out.message(5, encodeAttribute(name, value));
  if (node.domain !== undefined) out.string(7, node.domain);
  return out;
}

function encodeAttribute(name: string, value: AttributeValue): ProtoMessage {
  const out = new ProtoMessage().string(1, name);
  if (typeof value === "number") return out.int(3, value).int(20, 2);
  if ("int" in value) return out.int(3, value.int).int(20, 2);
  if ("float" in value) return out.float(2, value.float).int(20, 1);
  if ("string" in value) return out.string(4, value.string).int(20, 3);
  if ("tensor" in value) return out.message(5, encodeTensor(value.tensor)).int(20, 4);
  if ("ints" in value) {
    for (const item of value.ints) out.int(8, item);
    return out.int(20, 7);
  }
  for (const item of value.floats) out.float(7, item);
  return out.int(20, 6);
}

function encodeTensor(tensor: Initializer): ProtoMessage {
  const out = new ProtoMessage();
  for (const dim of tensor.dims) out.int(1, dim);
  out.int(2, typeCodes[tensor.type]).string(8, tensor.name);
  if (ArrayBuffer.isView(tensor.data)) {
    return out.bytes(9, new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
  }
  const { file, offset, length } = tensor.data;
  for (const [key, value] of Object.entries({ location: file, offset: String(offset), length: String(length) })) {
    out.message(13, new ProtoMessage().string(1, key).string(2, value));
  }
  return out.int(14, 1);
}

function encodeValue(value: ValueInfo): ProtoMessage {
  const shape = new ProtoMessage();
  for (const dim of value.dims) {
    shape.message(1, typeof dim === "number" ? new ProtoMessage().int(1, dim) : new ProtoMessage().string(2, dim));
  }
  const tensor = new ProtoMessage().int(1, typeCodes[value.type]).message(2, shape);
  return new ProtoMessage().string(1, value.name).message(2, new ProtoMessage().message(1, tensor));
}
