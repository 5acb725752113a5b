/** The fused graph that serves a classifier: dynamic batch and length, weights inside or named by offset. */
import { EngineError } from "../error.ts";
import { createGraph } from "../graph/graph.ts";
import type { ModelDescription } from "../models/architecture.ts";
import type { Feed } from "../nn/feed.ts";
import type { OnnxGraph } from "../onnx/model.ts";
import { ops } from "../ops/registry.ts";
import type { WeightTensor } from "../weights/safetensors.ts";
import { createServingBuilder, type LinearSite, type ServingOptions } from "./builder.ts";

/** A graph, the inputs it wants made from a batch, and what quantisation must know about it. */
export interface InferenceGraph {
  readonly onnx: OnnxGraph;
  /** Right-padded rectangles: `ids` int32 (batch, tokens) and others computed from ids and lengths. */
  readonly feeds: readonly Feed[];
  readonly linearSites: readonly LinearSite[];
  readonly wordTables: readonly string[];
}

/**
 * Builds the inference graph; its output is `logits` float32 (batch, labels).
 * @param weights tensors under their Hugging Face names; some may be int8 with `.scale` (see `quantise`)
 * @throws EngineError WEIGHTS when a tensor is missing or has another shape.
 * @example
 * const { onnx, feeds } = buildInferenceGraph(await readModelConfig(folder), tensors);
 * const session = await InferenceSession.create(encodeModel(onnx));
 */
export function buildInferenceGraph(
  { architecture, config }: ModelDescription,
  weights: ReadonlyMap<string, WeightTensor>,
  options: ServingOptions = {},
): InferenceGraph {
  if (config.labels.length === 0) throw new EngineError("CONFIG", "the model has no labels", { where: "id2label" });
  const g = createGraph(ops);
  const b = createServingBuilder(g, weights, options);
  const logits = architecture.forward(b, config); // (batch, labels)
  const onnx = g.toOnnx(config.modelType, { logits });
  return { onnx, feeds: b.feeds, linearSites: b.linearSites, wordTables: b.wordTables };
}
