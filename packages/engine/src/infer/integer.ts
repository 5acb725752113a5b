/**
 * Linear layers in integers: weights int8 per output column, activations uint8 per token row, so an answer never
 * depends on which other texts share its batch.
 */
import type { AttributeValue } from "../onnx/model.ts";
import type { OnnxEmitter } from "../graph/op.ts";
import type { Activation } from "../nn/builder.ts";

/** How int8 weights reach the integer product: signed, or shifted by 128 with a zero point. */
export type IntegerForm = "s8" | "u8";

/** Rows quantised for an integer product. */
export interface QuantisedRows {
  readonly values: string; // uint8 (rows, in)
  readonly scale: string; // float32 (rows, 1)
  readonly zero: string; // uint8 scalar
}

/** Names of a quantised weight's parts in the graph. */
export interface IntegerWeight {
  readonly weight: string; // (in, out)
  readonly scale: string; // (out)
  readonly zero?: string; // scalar, in the u8 form
}

/** GELU never falls below −0.17, so its zero point lies near the bottom and the step is almost halved. */
const GELU_ZERO = 24;
const GELU_FLOOR = 0.17;

/**
 * Quantises each row by its own largest value: uint8 around a fixed zero point.
 * @param after the activation that made the rows, whose range is known
 * @example
 * const quantised = quantiseRows(emitter, rows, "gelu");
 */
export function quantiseRows(e: OnnxEmitter, rows: string, after: Activation | undefined): QuantisedRows {
  const isGelu = after === "gelu" || after === "gelu_new";
  const oneSided = isGelu || after === "relu";
  const zeroPoint = isGelu ? GELU_ZERO : oneSided ? 0 : 128;
  const magnitude = oneSided ? rows : node(e, "Abs", [rows]);
  const largest = node(e, "ReduceMax", [magnitude, e.ints([-1])], { keepdims: 1 }); // (rows, 1)
  const steps = oneSided ? 255 - zeroPoint : 127;
  const smallest = isGelu ? GELU_FLOOR / GELU_ZERO : 1e-12;
  const scaled = node(e, "Mul", [largest, e.floats([1 / steps], [])]);
  const scale = node(e, "Max", [scaled, e.floats([smallest], [])]);
  const zero = byte(e, zeroPoint);
  const values = node(e, "QuantizeLinear", [node(e, "Div", [rows, scale]), e.floats([1], []), zero]);
  return { values, scale, zero };
}

/**
 * The product of quantised rows with a quantised weight, back in floating point, without bias: (rows, out).
 * @example
 * const product = integerProduct(emitter, quantised, weight);
 */
export function integerProduct(e: OnnxEmitter, rows: QuantisedRows, { weight, scale, zero }: IntegerWeight): string {
  const inputs = [rows.values, weight, e.floats([1], []), scale, rows.zero, ...(zero === undefined ? [] : [zero])];
  const product = e.node("MatMulIntegerToFloat", inputs, { domain: "com.microsoft" })[0] ?? "";
  return node(e, "Mul", [product, rows.scale]);
}

/** A uint8 scalar. */
export function byte(e: OnnxEmitter, value: number): string {
  return e.constant({ name: `byte_${value}`, type: "uint8", dims: [], data: Uint8Array.of(value) });
}

/** (rows, columns) to (columns, rows); each byte is read as signed and shifted. */
export function transposeBytes(bytes: Uint8Array, rows: number, columns: number, shift: number): Uint8Array {
  const out = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = (bytes[row * columns + column] ?? 0) + shift;
    }
  }
  return out;
}

function node(
  e: OnnxEmitter,
  op: string,
  inputs: readonly string[],
  attributes?: Record<string, AttributeValue>,
): string {
  return e.node(op, inputs, attributes ? { attributes } : {})[0] ?? "";
}
