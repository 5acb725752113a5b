/** The safetensors format: a JSON header, then raw little-endian numbers. Never pickle.
 * Source: https://github.com/huggingface/safetensors (format section of its README). */
import { EngineError } from "../error.ts";
import { bfloat16ToFloat32, float16ToFloat32, float32ToFloat16 } from "./half.ts";

/** The element types that are read and written. */
export type WeightType = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

/** One tensor of a file. `bytes` is a view into the file's bytes and may be unaligned; `toFloat32` always copies. */
export interface WeightTensor {
  readonly dtype: WeightType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  toFloat32(): Float32Array;
}

/** A parsed file. `offsets` count from the start of the file, as ONNX `external_data` wants them. */
export interface SafetensorsFile {
  readonly tensors: Map<string, WeightTensor>;
  readonly metadata: Record<string, string>;
  readonly dataOffset: number;
  readonly offsets: Map<string, { readonly offset: number; readonly length: number }>;
}

/** A tensor to write. `data` holds the raw elements of `dtype`; a Float32Array is converted for dtype F16. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: WeightType;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

/** Bytes of one element. */
export const ELEMENT_BYTES: Readonly<Record<WeightType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Parses the bytes of a safetensors file. The header must describe the data exactly: no overlap, no hole, no rest.
 * @throws EngineError WEIGHTS when anything does not fit.
 * @example
 * parseSafetensors(encodeSafetensors([])).tensors.size; // 0
 */
export function parseSafetensors(bytes: Uint8Array, where = "safetensors"): SafetensorsFile {
  const { header, dataOffset } = readHeader(bytes, where);
  const tensors = new Map<string, WeightTensor>();
  const offsets = new Map<string, { offset: number; length: number }>();
  let metadata: Record<string, string> = {};
  const ranges: { begin: number; end: number }[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      metadata = readMetadata(value, where);
      continue;
    }
    const entry = readEntry(name, value, bytes.byteLength - dataOffset, where);
    ranges.push(entry);
    tensors.set(
      name,
      tensorOf(entry.dtype, entry.shape, bytes.subarray(dataOffset + entry.begin, dataOffset + entry.end)),
    );
    offsets.set(name, { offset: dataOffset + entry.begin, length: entry.end - entry.begin });
  }
  checkCoverage(ranges, bytes.byteLength - dataOffset, where);
  return { tensors, metadata, dataOffset, offsets };
}

/**
 * The bytes of a safetensors file.
 * @throws EngineError WEIGHTS as `writeSafetensors`.
 * @example
 * parseSafetensors(encodeSafetensors([{ name: "a", dtype: "U8", shape: [1], data: Uint8Array.of(7) }]));
 */
export function encodeSafetensors(
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const chunks = safetensorsChunks(tensors, metadata);
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.byteLength;
  }
  return out;
}

/**
 * Header and data as chunks in file order.
 * @throws EngineError WEIGHTS when data and shape differ or a name appears twice.
 * @example
 * for (const chunk of safetensorsChunks(tensors, {})) await file.writeFile(chunk);
 */
export function safetensorsChunks(
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array[] {
  const sorted = [...tensors].sort(
    (a, b) => ELEMENT_BYTES[b.dtype] - ELEMENT_BYTES[a.dtype] || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(["__metadata__", metadata]);
  const seen = new Set<string>(["__metadata__"]);
  const chunks: Uint8Array[] = [];
  let begin = 0;
  for (const tensor of sorted) {
    if (seen.has(tensor.name)) throw damaged("tensor name is taken or reserved", tensor.name);
    seen.add(tensor.name);
    const chunk = bytesOf(tensor);
    entries.push([
      tensor.name,
      { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [begin, begin + chunk.byteLength] },
    ]);
    chunks.push(chunk);
    begin += chunk.byteLength;
  }
  const json = new TextEncoder().encode(
    `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`,
  );
  const head = new Uint8Array(8 + Math.ceil(json.byteLength / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.byteLength - 8), true);
  head.set(json, 8);
  return [head, ...chunks];
}

function bytesOf({ name, dtype, shape, data }: TensorToWrite): Uint8Array {
  const expected = countElements(shape, name, name) * ELEMENT_BYTES[dtype];
  const source = dtype === "F16" && data instanceof Float32Array ? float32ToFloat16(data) : data;
  if (source.byteLength !== expected) {
    throw damaged("data does not fill the shape", name, expected, source.byteLength);
  }
  return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
}

function tensorOf(dtype: WeightType, shape: readonly number[], bytes: Uint8Array): WeightTensor {
  return { dtype, shape, bytes, toFloat32: () => elementsToFloat32(dtype, bytes) };
}

/**
 * Raw little-endian elements as float32; always a copy.
 * @example
 * elementsToFloat32("I8", Uint8Array.of(255)); // [-1]
 */
export function elementsToFloat32(dtype: WeightType, bytes: Uint8Array): Float32Array {
  const { buffer } = new Uint8Array(bytes); // an aligned copy; a Buffer's slice() would be a view
  switch (dtype) {
    case "F64":
      return Float32Array.from(new Float64Array(buffer));
    case "F32":
      return new Float32Array(buffer);
    case "F16":
      return float16ToFloat32(new Uint16Array(buffer));
    case "BF16":
      return bfloat16ToFloat32(new Uint16Array(buffer));
    case "I8":
      return Float32Array.from(new Int8Array(buffer));
    case "U8":
    case "BOOL":
      return Float32Array.from(new Uint8Array(buffer));
    case "I16":
      return Float32Array.from(new Int16Array(buffer));
    case "I32":
      return Float32Array.from(new Int32Array(buffer));
    case "I64":
      return Float32Array.from(new BigInt64Array(buffer), Number);
  }
}

function readHeader(bytes: Uint8Array, where: string): { header: Record<string, unknown>; dataOffset: number } {
  if (bytes.byteLength < 8) throw damaged("file is shorter than its header", where, 8, bytes.byteLength);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const limit = Math.min(MAX_HEADER_BYTES, bytes.byteLength - 8);
  if (length > BigInt(limit)) throw damaged("header is longer than allowed", where, limit, length.toString());
  const dataOffset = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, dataOffset)));
  } catch (cause) {
    throw new EngineError("WEIGHTS", "header is not JSON", { where }, { cause });
  }
  if (!isRecord(header)) throw damaged("header is not an object", where);
  return { header, dataOffset };
}

function readMetadata(value: unknown, where: string): Record<string, string> {
  if (!isRecord(value)) throw damaged("__metadata__ is not an object", where);
  for (const entry of Object.values(value)) {
    if (typeof entry !== "string") throw damaged("__metadata__ holds something other than text", where);
  }
  return value as Record<string, string>;
}

interface Entry {
  readonly dtype: WeightType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readEntry(name: string, value: unknown, dataBytes: number, where: string): Entry {
  const place = `${where}: ${name}`;
  if (!isRecord(value)) throw damaged("tensor entry is not an object", place);
  const { dtype, shape, data_offsets: range } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(ELEMENT_BYTES, dtype)) {
    throw damaged("element type is not supported", place, Object.keys(ELEMENT_BYTES).join(", "), dtype);
  }
  if (!isSizes(shape)) throw damaged("shape is not a list of sizes", place);
  if (!isSizes(range) || range.length !== 2) throw damaged("data_offsets is not a pair", place);
  const [begin = 0, end = 0] = range;
  if (begin > end || end > dataBytes) throw damaged("data_offsets lie outside the file", place, dataBytes, range);
  const expected = countElements(shape, name, where) * ELEMENT_BYTES[dtype as WeightType];
  if (end - begin !== expected) throw damaged("data does not fill the shape", place, expected, end - begin);
  return { dtype: dtype as WeightType, shape, begin, end };
}

function checkCoverage(ranges: readonly { begin: number; end: number }[], dataBytes: number, where: string): void {
  let at = 0;
  for (const { begin, end } of [...ranges].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) throw damaged(begin < at ? "tensors overlap" : "data has a hole", where, at, begin);
    at = end;
  }
  if (at !== dataBytes) throw damaged("file length differs from its header", where, at, dataBytes);
}

function countElements(shape: readonly number[], name: string, where: string): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(count * 8)) throw damaged("shape is too large", `${where}: ${name}`);
  return count;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function damaged(message: string, where: string, expected?: unknown, got?: unknown): EngineError {
  return new EngineError("WEIGHTS", message, { where, expected, got });
}
