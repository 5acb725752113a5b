/**
 * The fused graph that serves an encoder: dynamic batch and length, first token only after the last attention.
 * int8 form: weights int8 per output column, activations uint8 per token row, so an answer never depends on
 * which other texts share its batch. Embedding rows stay int8 and are dequantised after the lookup.
 */
import { EngineError } from "../error.ts";
import type { OnnxGraph } from "../onnx/model.ts";
import type { WeightTensor } from "../weights/safetensors.ts";
import { createBuilder, type ExternalWeights, type GraphBuilder, type IntegerForm } from "./builder.ts";
import { applyLinear, applyLinears, applyNorm } from "./layers.ts";
import type { BlockNames, EncoderSpec } from "./spec.ts";

/** Options of `buildInferenceGraph`. */
export interface InferenceGraphOptions {
  readonly precision: "fp32" | "int8";
  /** fp32 only: name weights by offset in this file instead of copying them into the graph. */
  readonly external?: ExternalWeights;
  /** int8 only: "s8", or "u8" where the processor's u8·s8 products saturate (see `probeIntegerForm`). Default s8. */
  readonly integerForm?: IntegerForm;
}

/**
 * Builds the inference graph: inputs `ids` int32 (batch, length) right-padded and `lengths` int32 (batch),
 * output `logits` float32 (batch, labels).
 * @param weights tensors under their Hugging Face names; for int8 those that `quantiseTensors` makes
 * @throws EngineError WEIGHTS when a tensor is missing or has another shape.
 * @example
 * const graph = buildInferenceGraph(encoderSpec(config), tensors, { precision: "fp32" });
 * const session = await InferenceSession.create(encodeModel(graph));
 */
export function buildInferenceGraph(
  spec: EncoderSpec,
  weights: ReadonlyMap<string, WeightTensor>,
  options: InferenceGraphOptions,
): OnnxGraph {
  if (spec.dim % spec.heads !== 0) {
    throw new EngineError("CONFIG", "width does not divide into heads", { expected: spec.heads, got: spec.dim });
  }
  const builder = createBuilder(weights, options);
  const { rows, batch, length } = embed(builder, spec);
  let tokens = rows; // (batch · length, dim)
  for (const [i, block] of spec.blocks.entries()) {
    const last = i === spec.layers - 1;
    const queries = last ? firstTokens(builder, tokens, batch, length, spec.dim) : tokens;
    tokens = encoderBlock(builder, spec, block, { tokens, queries, batch, length, last });
  }
  const pre = applyLinear(builder, tokens, spec.pre, [spec.dim, spec.dim]); // (batch, dim)
  const features = builder.node(spec.pre.activation, [pre]);
  const labels = builder.shapeOf(spec.classifier.weight)[0] ?? 0;
  const logits = applyLinear(builder, features, spec.classifier, [labels, spec.dim]); // (batch, labels)
  return builder.finish({
    name: spec.family,
    inputs: [
      { name: "ids", type: "int32", dims: ["batch", "length"] },
      { name: "lengths", type: "int32", dims: ["batch"] },
    ],
    output: { name: "logits", type: "float32", dims: ["batch", labels] },
    result: logits,
  });
}

/** Word and position embeddings, added and normalised, as rows (batch · length, dim). */
function embed(builder: GraphBuilder, spec: EncoderSpec): { rows: string; batch: string; length: string } {
  const shape = builder.node("Shape", ["ids"]); // (2)
  const batch = builder.node("Gather", [shape, builder.ints([0])]); // (1)
  const length = builder.node("Gather", [shape, builder.ints([1])]); // (1)
  const words = builder.lookup(spec.words, "ids"); // (batch, length, dim)
  const first = builder.ints([spec.firstPosition]);
  const end = spec.firstPosition === 0 ? length : builder.node("Add", [length, first]);
  const table = builder.weight(spec.positions, [spec.maxTokens + spec.firstPosition, spec.dim]);
  let positions = builder.node("Slice", [table, first, end, builder.ints([0])]); // (length, dim)
  if (spec.types !== undefined) {
    // every token is of type 0
    const type = builder.node("Gather", [builder.weight(spec.types), builder.ints([0])]); // (1, dim)
    positions = builder.node("Add", [positions, type]);
  }
  const sum = builder.node("Add", [words, positions]);
  const normed = applyNorm(builder, sum, spec.embeddingNorm, spec); // (batch, length, dim)
  return { rows: builder.node("Reshape", [normed, builder.ints([-1, spec.dim])]), batch, length };
}

function firstTokens(builder: GraphBuilder, rows: string, batch: string, length: string, dim: number): string {
  const shape = builder.node("Concat", [batch, length, builder.ints([dim])], { axis: 0 });
  const cube = builder.node("Reshape", [rows, shape]); // (batch, length, dim)
  return builder.node("Gather", [cube, builder.scalarInt(0)], { axis: 1 }); // (batch, dim)
}

interface BlockInput {
  readonly tokens: string; // (batch · length, dim)
  readonly queries: string; // the same, or the first tokens (batch, dim)
  readonly batch: string;
  readonly length: string;
  readonly last: boolean;
}

/** Post-norm block: x = norm(x + attention(x)); x = norm(x + feedForward(x)). */
function encoderBlock(builder: GraphBuilder, spec: EncoderSpec, block: BlockNames, input: BlockInput): string {
  const { dim, hidden } = spec;
  const { tokens, queries, batch, length, last } = input;
  const square = [dim, dim] as const;
  const keyShape = builder.node("Concat", [batch, length, builder.ints([dim])], { axis: 0 });
  const queryShape = last ? builder.node("Concat", [batch, builder.ints([1, dim])], { axis: 0 }) : keyShape;
  const [q, k, v] = last
    ? [
        applyLinear(builder, queries, block.query, square),
        ...applyLinears(builder, tokens, [block.key, block.value], square),
      ]
    : applyLinears(builder, tokens, [block.query, block.key, block.value], square);
  const heads = builder.node(
    "com.microsoft.MultiHeadAttention",
    [
      builder.node("Reshape", [q ?? "", queryShape]), // (batch, queries, dim)
      builder.node("Reshape", [k ?? "", keyShape]), // (batch, length, dim)
      builder.node("Reshape", [v ?? "", keyShape]),
      "",
      "lengths", // keys beyond a row's length are masked
    ],
    { num_heads: spec.heads },
  );
  const context = builder.node("Reshape", [heads, builder.ints([-1, dim])]); // (rows, dim)
  const attended = applyLinear(builder, context, block.attentionOut, square);
  const middle = applyNorm(builder, builder.node("Add", [attended, queries]), block.attentionNorm, spec);
  const wide = applyLinear(builder, middle, block.expand, [hidden, dim], { followedBy: spec.activation }); // (rows, hidden)
  const narrow = applyLinear(builder, wide, block.contract, [dim, hidden], { producedBy: spec.activation }); // (rows, dim)
  return applyNorm(builder, builder.node("Add", [narrow, middle]), block.outputNorm, spec);
}
