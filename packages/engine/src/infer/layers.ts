/** Linear layers and norms of the inference graph, in floating point and in integers. */
import { channelSuffix, type GraphBuilder } from "./builder.ts";
import type { Activation, EncoderSpec, LinearNames } from "./spec.ts";

/** Where a linear layer stands: `followedBy` is fused behind it, `producedBy` tells the range of its input. */
export interface LinearPlace {
  readonly followedBy?: Activation;
  readonly producedBy?: Activation;
}

/**
 * One linear layer on rows: (rows, in) → (rows, out).
 * @param shape (out, in) of the weight
 * @throws EngineError WEIGHTS when the tensor is missing or has another shape.
 * @example
 * const wide = applyLinear(builder, rows, block.expand, [1536, 384], { followedBy: "gelu" });
 */
export function applyLinear(
  builder: GraphBuilder,
  input: string,
  names: LinearNames,
  shape: readonly [number, number],
  place: LinearPlace = {},
): string {
  const bias = builder.weight(names.bias, [shape[0]]);
  if (!builder.isQuantised(names.weight)) {
    const weight = builder.weight(names.weight, shape);
    if (!place.followedBy) return builder.node("Gemm", [input, weight, bias], { transB: 1 });
    return activate(builder, builder.node("Gemm", [input, weight], { transB: 1 }), bias, place.followedBy);
  }
  const quantised = quantiseRows(builder, evened(builder, input, names), place.producedBy);
  return integerLinear(builder, quantised, names, shape, place.followedBy);
}

/**
 * Several linear layers of one shape on the same rows, which are quantised once (with the first one's channel factors).
 * @throws EngineError WEIGHTS as `applyLinear`.
 * @example
 * const [q, k, v] = applyLinears(builder, rows, [block.query, block.key, block.value], [384, 384]);
 */
export function applyLinears(
  builder: GraphBuilder,
  input: string,
  layers: readonly LinearNames[],
  shape: readonly [number, number],
): string[] {
  if (!layers.every(({ weight }) => builder.isQuantised(weight))) {
    return layers.map((names) => applyLinear(builder, input, names, shape));
  }
  const quantised = quantiseRows(builder, layers[0] ? evened(builder, input, layers[0]) : input, undefined);
  return layers.map((names) => integerLinear(builder, quantised, names, shape, undefined));
}

/**
 * Layer norm over the last axis. (ONNX Runtime's SkipLayerNormalization is slower than Add + LayerNormalization.)
 * @throws EngineError WEIGHTS when gamma or beta is missing.
 * @example
 * const y = applyNorm(builder, x, block.outputNorm, spec);
 */
export function applyNorm(builder: GraphBuilder, input: string, names: LinearNames, spec: EncoderSpec): string {
  const gamma = builder.weight(names.weight, [spec.dim]);
  const beta = builder.weight(names.bias, [spec.dim]);
  return builder.node("LayerNormalization", [input, gamma, beta], { axis: -1, epsilon: { float: spec.epsilon } });
}

interface QuantisedRows {
  readonly values: string; // uint8 (rows, in)
  readonly scale: string; // float32 (rows, 1)
  readonly zero: string; // uint8 scalar
}

/** The input of a quantised layer with its channels brought to one size, where the weights were made for that. */
function evened(builder: GraphBuilder, input: string, { weight }: LinearNames): string {
  const channels = `${weight}${channelSuffix}`;
  return builder.has(channels) ? builder.node("Mul", [input, builder.weight(channels)]) : input;
}

/** GELU never falls below −0.17, so its zero point lies near the bottom and the step is almost halved. */
const GELU_ZERO = 24;
const GELU_FLOOR = 0.17;

/** Quantises each row by its own largest value: uint8 around a fixed zero point. */
function quantiseRows(builder: GraphBuilder, input: string, after: Activation | undefined): QuantisedRows {
  const axis = builder.ints([-1]);
  const zeroPoint = after === undefined ? 128 : after === "relu" ? 0 : GELU_ZERO;
  const magnitude = after === undefined ? builder.node("Abs", [input]) : input;
  const largest = builder.node("ReduceMax", [magnitude, axis], { keepdims: 1 }); // (rows, 1)
  const steps = after === undefined ? 127 : 255 - zeroPoint;
  const smallest = after === undefined || after === "relu" ? 1e-12 : GELU_FLOOR / GELU_ZERO;
  const scale = builder.node("Max", [
    builder.node("Mul", [largest, builder.scalar(1 / steps)]),
    builder.scalar(smallest),
  ]);
  const zero = builder.byte(zeroPoint);
  const values = builder.node("QuantizeLinear", [builder.node("Div", [input, scale]), builder.scalar(1), zero]);
  return { values, scale, zero };
}

function integerLinear(
  builder: GraphBuilder,
  rows: QuantisedRows,
  names: LinearNames,
  shape: readonly [number, number],
  then: Activation | undefined,
): string {
  const { weight, scale, zero } = builder.integerWeight(names.weight, shape); // (in, out), (out)
  const product = builder.node("com.microsoft.MatMulIntegerToFloat", [
    rows.values,
    weight,
    builder.scalar(1),
    scale,
    rows.zero,
    ...(zero === undefined ? [] : [zero]),
  ]);
  const scaled = builder.node("Mul", [product, rows.scale]);
  const bias = builder.weight(names.bias, [shape[0]]);
  return then ? activate(builder, scaled, bias, then) : builder.node("Add", [scaled, bias]);
}

function activate(builder: GraphBuilder, input: string, bias: string, activation: Activation): string {
  if (activation === "gelu") return builder.node("com.microsoft.BiasGelu", [input, bias]);
  if (activation === "gelu_new") return builder.node("com.microsoft.FastGelu", [input, bias]);
  return builder.node("Relu", [builder.node("Add", [input, bias])]);
}
