/** One graph that computes loss, logits and every gradient in one run, and its forward-only twin. */
import * as ort from "onnxruntime-node";
import { createGraph, type Graph } from "../graph/graph.ts";
import type { Value } from "../graph/op.ts";
import type { ModelDescription } from "../models/architecture.ts";
import type { DropoutRates } from "../nn/builder.ts";
import { dimsOf, type Feed, type TokenRows } from "../nn/feed.ts";
import { createTrainingBuilder, type GatherSite, type LoraOptions } from "../nn/training.ts";
import { encodeModel } from "../onnx/model.ts";
import { ops } from "../ops/registry.ts";
import type { DropoutMasks } from "./dropout.ts";
import { createLowWeights } from "./low-weights.ts";
import type { Parameters } from "./parameters.ts";

/** Gradient rows of one place where a table was read: row i belongs to table row `rows[i]`. */
export interface RowGradients {
  readonly table: string;
  readonly rows: Int32Array;
  /** (rows, width) */
  readonly data: Float32Array;
}

/** What one run of the training graph gives back. Arrays are fresh at every run. */
export interface StepResult {
  readonly loss: number;
  /** (rows, labels) */
  readonly logits: Float32Array;
  /** Gradients by parameter name. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** Gradients of the rows that the batch read from tables. */
  readonly rowGradients: readonly RowGradients[];
}

/** How to build the graphs. */
export interface EncoderOptions {
  readonly rates: DropoutRates;
  readonly isTrainable: (name: string) => boolean;
  /** Threads of ONNX Runtime inside an operator; 0 lets it choose. */
  readonly threads: number;
  readonly lora?: LoraOptions | undefined;
  /** Products of the encoder's layers in int8; call `refresh` when weights changed. */
  readonly int8?: "gradients" | "all" | undefined;
  /** Gradients of the words that a batch read even when their table does not train: adversarial training. */
  readonly wordGradients?: boolean | undefined;
  /** Adds T² Σ soft targets log softmax(logits / T) to the loss; needs `softTargets` at every step. */
  readonly distillation?: { readonly temperature: number } | undefined;
}

/** What a step may be given besides its batch. */
export interface StepInputs {
  /** (rows, labels) */
  readonly targets: Float32Array;
  readonly masks: DropoutMasks;
  /** Weight of every row over that of the batch, (rows, 1): needed by independent labels. */
  readonly mass?: Float32Array;
  /** A teacher's targets, weighted like `targets`, (rows, labels): distillation. */
  readonly softTargets?: Float32Array;
  /** Added to the gathered rows of a table, (rows x tokens, width): adversarial training. */
  readonly shifts?: ReadonlyMap<string, Float32Array>;
}

/** Sessions over weights that live outside, in `parameters`, and may change between runs. */
export interface EncoderSessions {
  /** Names of the parameters that have gradients, tables included. */
  readonly trainable: readonly string[];
  /**
   * Loss and its gradients. Exclusive labels: -Σ targets log softmax(logits). Independent labels:
   * Σ mass softplus(logits) - targets logits, where targets are mass x truth.
   */
  step(batch: TokenRows, inputs: StepInputs): Promise<StepResult>;
  /** Takes over weights that changed since the last step, where the graph has copies of its own (low precision). */
  refresh(): void;
  /** Logits (rows, labels) without dropout, in float32. */
  logits(batch: TokenRows): Promise<Float32Array>;
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
  const forward = buildForwardGraph(model, options);
  const settings: ort.InferenceSession.SessionOptions = {
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    ...(options.threads > 0 && { intraOpNumThreads: options.threads }),
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
  const trainSession = await ort.InferenceSession.create(training.bytes, settings);
  const forwardSession = await ort.InferenceSession.create(forward.bytes, settings);
  const weights = new Map<string, ort.Tensor>();
  for (const [name, { spec, data }] of parameters) {
    if (spec.table === undefined) weights.set(name, new ort.Tensor("float32", data, spec.shape));
  }
  const low = createLowWeights(parameters, training.lowSites, options.isTrainable);
  const feedsOf = (graph: Inputs, batch: TokenRows, shifts?: StepInputs["shifts"]): Record<string, ort.Tensor> => ({
    ...Object.fromEntries(graph.parameters.flatMap((name) => entry(name, weights.get(name)))),
    ...gatherTables(parameters, graph.gatherSites, batch, shifts),
    ...Object.fromEntries(graph.feeds.map((feed) => [feed.name, feedTensor(feed, batch)])),
  });
  return {
    trainable: training.trainable,
    step: async (batch, { targets, softTargets, masks, mass, shifts }) => {
      const feeds = { ...feedsOf(training, batch, shifts), ...low.feeds };
      feeds["targets"] = new ort.Tensor("float32", targets, [batch.rows, model.config.labels.length]);
      if (softTargets)
        feeds["soft_targets"] = new ort.Tensor("float32", softTargets, [batch.rows, model.config.labels.length]);
      if (mass) feeds["mass"] = new ort.Tensor("float32", mass, [batch.rows, 1]);
      for (const site of training.dropoutSites) {
        const dims = dimsOf(site.shape, batch);
        const size = dims.reduce((product, dim) => product * dim, 1);
        feeds[site.input] = new ort.Tensor("float32", masks.take(site.input, site.rate, size), dims);
      }
      const out = await trainSession.run(feeds);
      return {
        loss: floats(out["loss"])[0] ?? Number.NaN,
        logits: floats(out["logits"]),
        gradients: new Map(training.dense.map((name) => [name, floats(out[`grad.${name}`])])),
        rowGradients: training.sparse.map(({ input, table, selection }) => {
          return { table, rows: selection.rows(batch), data: floats(out[`grad.${input}`]) };
        }),
      };
    },
    refresh: low.refresh,
    logits: async (batch) => floats((await forwardSession.run(feedsOf(forward, batch)))["logits"]),
    release: async () => {
      await trainSession.release();
      await forwardSession.release();
    },
  };
}

/** Everything a graph wants fed. */
interface Inputs {
  readonly parameters: readonly string[];
  readonly gatherSites: readonly GatherSite[];
  readonly feeds: readonly Feed[];
}

function buildTrainingGraph(model: ModelDescription, options: EncoderOptions) {
  const g = createGraph(ops);
  const b = createTrainingBuilder(g, options);
  const logits = model.architecture.forward(b, model.config); // (batch, labels)
  const targets = g.input("targets", "float32", ["batch", model.config.labels.length]);
  const mass = model.config.multiLabel ? [g.input("mass", "float32", ["batch", 1])] : [];
  const hard = g.op(model.config.multiLabel ? "BinaryCrossEntropy" : "CrossEntropy", [logits, targets, ...mass]); // (1, 1)
  const loss = options.distillation ? g.op("Add", [hard, softLoss(g, logits, options.distillation.temperature)]) : hard;
  const dense = [...b.parameters].filter(([name]) => options.isTrainable(name));
  const sparse = b.gatherSites.filter(({ table, selection }) => {
    return options.isTrainable(table) || (options.wordGradients === true && selection.name === "words");
  });
  const gradients = g.gradients(loss, [...dense.map(([, value]) => value), ...sparse.map(({ value }) => value)]);
  const outputs: Record<string, Value> = { loss, logits };
  const names = [...dense.map(([name]) => name), ...sparse.map(({ input }) => input)];
  for (const [i, gradient] of gradients.entries()) outputs[`grad.${names[i]}`] = gradient;
  return {
    bytes: encodeModel(g.toOnnx("train", outputs)),
    dense: dense.map(([name]) => name),
    sparse,
    trainable: [
      ...new Set([...sparse.map(({ table }) => table).filter(options.isTrainable), ...dense.map(([name]) => name)]),
    ],
    dropoutSites: b.dropoutSites,
    lowSites: b.lowSites,
    ...inputsOf(b),
  };
}

/** T² times the cross-entropy with a teacher's soft targets at temperature T. https://arxiv.org/abs/1503.02531 */
function softLoss(g: Graph, logits: Value, temperature: number): Value {
  const targets = g.input("soft_targets", "float32", logits.shape);
  const cooled = g.op("Scale", [logits], { factor: 1 / temperature });
  return g.op("Scale", [g.op("CrossEntropy", [cooled, targets])], { factor: temperature ** 2 });
}

function buildForwardGraph(model: ModelDescription, { lora }: EncoderOptions): Inputs & { readonly bytes: Uint8Array } {
  const g = createGraph(ops);
  const b = createTrainingBuilder(g, { rates: { hidden: 0, attention: 0, head: 0 }, lora });
  const logits = model.architecture.forward(b, model.config);
  return { bytes: encodeModel(g.toOnnx("forward", { logits })), ...inputsOf(b) };
}

function inputsOf(b: ReturnType<typeof createTrainingBuilder>): Inputs {
  return { parameters: [...b.parameters.keys()], gatherSites: b.gatherSites, feeds: b.feeds };
}

/** The rows of the embedding tables that a batch reads. */
function gatherTables(
  parameters: Parameters,
  sites: readonly GatherSite[],
  batch: TokenRows,
  shifts: StepInputs["shifts"],
): Record<string, ort.Tensor> {
  return Object.fromEntries(
    sites.map(({ input, table, selection }) => {
      const parameter = parameters.get(table);
      const width = parameter?.spec.shape[1] ?? 0;
      const data = parameter?.data ?? new Float32Array();
      const ids = selection.rows(batch);
      const rows = new Float32Array(ids.length * width);
      for (const [i, id] of ids.entries()) rows.set(data.subarray(id * width, (id + 1) * width), i * width);
      const shift = selection.name === "words" ? shifts?.get(table) : undefined;
      if (shift) for (let i = 0; i < rows.length; i++) rows[i] = (rows[i] as number) + (shift[i] as number);
      return [input, new ort.Tensor("float32", rows, [...dimsOf(selection.shape, batch), width])];
    }),
  );
}

function feedTensor(feed: Feed, batch: TokenRows): ort.Tensor {
  const data = feed.make(batch);
  const dims = dimsOf(feed.shape, batch);
  return data instanceof Int32Array ? new ort.Tensor("int32", data, dims) : new ort.Tensor("float32", data, dims);
}

const entry = (name: string, tensor: ort.Tensor | undefined): [string, ort.Tensor][] =>
  tensor ? [[name, tensor]] : [];
const floats = (tensor: ort.Tensor | undefined): Float32Array => tensor?.data as Float32Array;
