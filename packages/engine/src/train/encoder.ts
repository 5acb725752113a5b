/** One graph that computes loss, logits and every gradient in one run, and its forward-only twin. */
import * as ort from "onnxruntime-node";
import { createGraph } from "../graph/graph.ts";
import type { Value } from "../graph/op.ts";
import type { ModelDescription } from "../models/registry.ts";
import { createEncoderBuilder, type DropoutRates, type DropoutSite } from "../nn/builder.ts";
import { encodeModel } from "../onnx/model.ts";
import { ops } from "../ops/registry.ts";
import type { TokenBatch } from "./batch.ts";
import type { DropoutMasks } from "./dropout.ts";
import type { Parameters } from "./parameters.ts";

/** Attention bias of padding: exp underflows to exactly 0. */
const masked = -1e9;

/** What one run of the training graph gives back. Arrays are fresh at every run. */
interface StepResult {
  readonly loss: number;
  /** (rows, labels) */
  readonly logits: Float32Array;
  /** Gradients by parameter name; for tables, of the gathered rows. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** How to build the graphs. */
export interface EncoderOptions {
  readonly rates: DropoutRates;
  readonly isTrainable: (name: string) => boolean;
  /** Threads of ONNX Runtime inside an operator; 0 lets it choose. */
  readonly threads: number;
}

/** Sessions over weights that live outside, in `parameters`, and may change between runs. */
export interface EncoderSessions {
  readonly trainable: readonly string[];
  /** Loss -Σ targets log softmax(logits) with targets (rows, labels), and its gradients. */
  step(batch: TokenBatch, targets: Float32Array, masks: DropoutMasks): Promise<StepResult>;
  /** Logits (rows, labels) without dropout. */
  logits(batch: TokenBatch): Promise<Float32Array>;
  release(): Promise<void>;
}

/**
 * Builds and opens both graphs.
 * The weights are inputs that share memory with `parameters`: an update in place is seen by the next run.
 */
export async function openEncoder(
  model: ModelDescription,
  parameters: Parameters,
  options: EncoderOptions,
): Promise<EncoderSessions> {
  const training = buildTrainingGraph(model, options);
  const forward = buildForwardGraph(model);
  const settings: ort.InferenceSession.SessionOptions = {
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    ...(options.threads > 0 && { intraOpNumThreads: options.threads }),
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
  const trainSession = await ort.InferenceSession.create(training.bytes, settings);
  const forwardSession = await ort.InferenceSession.create(forward, settings);
  const weights = new Map<string, ort.Tensor>();
  for (const [name, { spec, data }] of parameters) {
    if (spec.table === undefined) weights.set(name, new ort.Tensor("float32", data, spec.shape));
  }
  const feedsOf = (batch: TokenBatch): Record<string, ort.Tensor> => ({
    ...Object.fromEntries(weights),
    ...gatherTables(parameters, batch),
    attention_bias: attentionBias(batch),
  });
  return {
    trainable: training.trainable,
    step: async (batch, targets, masks) => {
      const labels = model.config.labels.length;
      const feeds = feedsOf(batch);
      feeds["targets"] = new ort.Tensor("float32", targets, [batch.rows, labels]);
      for (const site of training.sites) feeds[site.input] = maskFor(site, batch, masks);
      const out = await trainSession.run(feeds);
      const gradients = new Map(training.trainable.map((name) => [name, floats(out[`grad.${name}`])]));
      return { loss: floats(out["loss"])[0] ?? Number.NaN, logits: floats(out["logits"]), gradients };
    },
    logits: async (batch) => floats((await forwardSession.run(feedsOf(batch)))["logits"]),
    release: async () => {
      await trainSession.release();
      await forwardSession.release();
    },
  };
}

function buildTrainingGraph(model: ModelDescription, options: EncoderOptions) {
  const g = createGraph(ops);
  const b = createEncoderBuilder(g, options.rates);
  const logits = model.architecture.forward(b, model.config); // (batch, labels)
  const targets = g.input("targets", "float32", ["batch", model.config.labels.length]);
  const loss = g.op("CrossEntropy", [logits, targets]); // (1, 1)
  const trainable = [...b.tables, ...b.parameters].filter(([name]) => options.isTrainable(name));
  const gradients = g.gradients(
    loss,
    trainable.map(([, value]) => value),
  );
  const outputs: Record<string, Value> = { loss, logits };
  const names = trainable.map(([name]) => name);
  for (const [i, gradient] of gradients.entries()) outputs[`grad.${names[i]}`] = gradient;
  return { bytes: encodeModel(g.toOnnx("train", outputs)), trainable: names, sites: b.dropoutSites };
}

function buildForwardGraph(model: ModelDescription): Uint8Array {
  const g = createGraph(ops);
  const b = createEncoderBuilder(g, { hidden: 0, attention: 0, head: 0 });
  return encodeModel(g.toOnnx("forward", { logits: model.architecture.forward(b, model.config) }));
}

/** Rows of the embedding tables for a batch: words by id, positions 0 to tokens - 1, type 0. */
function gatherTables(parameters: Parameters, batch: TokenBatch): Record<string, ort.Tensor> {
  const feeds: Record<string, ort.Tensor> = {};
  for (const [name, { spec, data }] of parameters) {
    const width = spec.shape[1] ?? 0;
    if (spec.table === "words") {
      const rows = new Float32Array(batch.ids.length * width);
      for (const [i, id] of batch.ids.entries()) rows.set(data.subarray(id * width, (id + 1) * width), i * width);
      feeds[name] = new ort.Tensor("float32", rows, [batch.rows, batch.tokens, width]);
    } else if (spec.table !== undefined) {
      const count = spec.table === "positions" ? batch.tokens : 1;
      feeds[name] = new ort.Tensor("float32", data.subarray(0, count * width), [count, width]);
    }
  }
  return feeds;
}

function attentionBias(batch: TokenBatch): ort.Tensor {
  const bias = new Float32Array(batch.rows * batch.tokens);
  for (const [row, length] of batch.lengths.entries()) {
    bias.fill(masked, row * batch.tokens + length, (row + 1) * batch.tokens);
  }
  return new ort.Tensor("float32", bias, [batch.rows, 1, 1, batch.tokens]);
}

function maskFor(site: DropoutSite, batch: TokenBatch, masks: DropoutMasks): ort.Tensor {
  const sizes: Readonly<Record<string, number>> = {
    batch: batch.rows,
    tokens: batch.tokens,
    rows: batch.rows * batch.tokens,
  };
  const dims = site.shape.map((dim) => (typeof dim === "number" ? dim : (sizes[dim] ?? 1)));
  const size = dims.reduce((product, dim) => product * dim, 1);
  return new ort.Tensor("float32", masks.take(site.input, site.rate, size), dims);
}

const floats = (tensor: ort.Tensor | undefined): Float32Array => tensor?.data as Float32Array;
