/** What a model architecture declares, and the configuration all classifiers share once Hugging Face's names are gone. */
import { EngineError } from "../error.ts";
import type { Value } from "../graph/op.ts";
import type { Activation, EncoderBuilder } from "../nn/builder.ts";

/** An encoder with a classification head, in one vocabulary for every architecture. */
export interface EncoderConfig {
  readonly modelType: string;
  readonly vocabSize: number;
  /** Width of the token vectors. */
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of one head; absent where the heads share `hidden` among them. */
  readonly headWidth?: number;
  /** Width of the feed-forward layer. */
  readonly intermediate: number;
  readonly activation: Activation;
  /** Attention blocks, where a layer has not exactly one. */
  readonly attentions?: number;
  /** Floats per token that a training step holds besides the scores, where `layers` plain blocks do not say it (measured). */
  readonly heldFloats?: number;
  /** Longest input in tokens, specials included. */
  readonly maxTokens: number;
  readonly layerNormEps: number;
  readonly padId: number;
  /** Standard deviation of fresh weights. */
  readonly initializerRange: number;
  /** Label names in the order of the logits. */
  readonly labels: readonly string[];
  /** Labels are independent (sigmoid) instead of exclusive (softmax). */
  readonly multiLabel: boolean;
}

/** A parameter by its Hugging Face name. `fresh`: how it is filled when a checkpoint does not have it (a new head). */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly fresh: "normal" | "zeros" | "ones";
  /** An embedding table: the batch selects its rows, and only those are updated. */
  readonly table?: true;
  /** Encoder layer the parameter belongs to, -1 for embeddings; absent for the head. */
  readonly layer?: number;
}

/** A checkpoint on the hub: repository, and the commit it is pinned to. */
export interface Preset {
  readonly repository: string;
  readonly revision: string;
}

/** One architecture: one file in this folder. */
export interface Architecture<Config extends EncoderConfig = EncoderConfig> {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** The implementation this one agrees with. */
  readonly source: string;
  /** Checkpoints known to load, by short name. */
  readonly presets: Readonly<Record<string, Preset>>;
  /** Reads a Hugging Face config.json, old and new forms. Throws EngineError CONFIG on what is missing or unsupported. */
  readonly readConfig: (json: Readonly<Record<string, unknown>>) => Config;
  /** Writes the config.json of a classifier. */
  readonly writeConfig: (config: Config) => Record<string, unknown>;
  readonly parameters: (config: Config) => readonly ParameterSpec[];
  /** Builds the forward pass; returns logits (batch, labels). */
  readonly forward: (b: EncoderBuilder, config: Config) => Value;
}

/**
 * Declares an architecture. Its functions only ever get a configuration that its own `readConfig` made, so the
 * registry may hold all of them under one type.
 */
export function defineArchitecture<Config extends EncoderConfig>(architecture: Architecture<Config>): Architecture {
  return architecture as unknown as Architecture;
}

/** A model folder's architecture and configuration. */
export interface ModelDescription {
  readonly architecture: Architecture;
  readonly config: EncoderConfig;
}

/**
 * What a parsed config.json describes, among the architectures given by their `model_type`.
 * @throws EngineError CONFIG for any other architecture, or naming the key that is missing or wrong.
 */
export function describeWith(
  known: ReadonlyMap<string, Architecture>,
  json: Readonly<Record<string, unknown>>,
): ModelDescription {
  const modelType = String(json["model_type"]);
  const architecture = known.get(modelType);
  if (architecture === undefined) {
    const details = { where: "config.json: model_type", expected: [...known.keys()], got: modelType };
    throw new EngineError("CONFIG", `unknown model_type ${modelType}`, details);
  }
  const config = architecture.readConfig(json);
  if (config.headWidth === undefined && config.hidden % config.heads !== 0) {
    const details = { where: "config.json", expected: config.heads, got: config.hidden };
    throw new EngineError("CONFIG", "width does not divide into heads", details);
  }
  return { architecture, config };
}

/** Weight and bias of a linear layer stored (out, in). */
export function linearSpecs(
  name: string,
  size: readonly [out: number, width: number],
  layer?: number,
): ParameterSpec[] {
  const where = layer === undefined ? {} : { layer };
  return [
    { name: `${name}.weight`, shape: size, fresh: "normal", ...where },
    { name: `${name}.bias`, shape: [size[0]], fresh: "zeros", ...where },
  ];
}

/** Weight and bias of a layer norm. */
export function normSpecs(name: string, width: number, layer?: number): ParameterSpec[] {
  const where = layer === undefined ? {} : { layer };
  return [
    { name: `${name}.weight`, shape: [width], fresh: "ones", ...where },
    { name: `${name}.bias`, shape: [width], fresh: "zeros", ...where },
  ];
}

/** Leaves out the biases. */
export function weightsOnly(specs: readonly ParameterSpec[]): ParameterSpec[] {
  return specs.filter(({ name }) => name.endsWith(".weight"));
}

/** An embedding table. */
export function tableSpec(name: string, size: readonly [rows: number, width: number], layer = -1): ParameterSpec {
  return { name, shape: size, fresh: "normal", table: true, layer };
}

/**
 * A number of config.json under the first of several names.
 * @throws EngineError CONFIG when none holds a number and there is no fallback.
 */
export function configNumber(
  json: Readonly<Record<string, unknown>>,
  names: readonly string[],
  fallback?: number,
): number {
  for (const name of names) {
    const value = json[name];
    if (typeof value === "number") return value;
  }
  if (fallback !== undefined) return fallback;
  throw new EngineError("CONFIG", `config.json lacks ${names[0]}`, { where: names.join(), expected: "number" });
}

/**
 * A size: a whole number above 0.
 * @throws EngineError CONFIG naming the key.
 */
export function configSize(
  json: Readonly<Record<string, unknown>>,
  names: readonly string[],
  fallback?: number,
): number {
  const value = configNumber(json, names, fallback);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new EngineError("CONFIG", `config.json: ${names[0]} is not a size`, { where: names.join(), got: value });
}

const activations: Readonly<Record<string, Activation>> = {
  gelu: "gelu",
  gelu_python: "gelu",
  gelu_new: "gelu_new",
  gelu_fast: "gelu_new",
  gelu_pytorch_tanh: "gelu_new",
  relu: "relu",
  tanh: "tanh",
};

/**
 * An activation of config.json, aliases merged.
 * @throws EngineError CONFIG when it is none of those known.
 */
export function configActivation(json: Readonly<Record<string, unknown>>, name: string): Activation {
  const value = json[name] ?? "gelu";
  const activation = activations[String(value)];
  if (activation !== undefined) return activation;
  const expected = Object.keys(activations);
  throw new EngineError("CONFIG", `config.json: ${name} is not supported`, { where: name, expected, got: value });
}

/**
 * What every config.json says in the same words: labels, padding, head kind.
 * @throws EngineError CONFIG for a regression head.
 */
export function headConfig(
  json: Readonly<Record<string, unknown>>,
): Pick<EncoderConfig, "labels" | "multiLabel" | "initializerRange"> {
  const problem = json["problem_type"] ?? undefined;
  if (problem === "regression") {
    throw new EngineError("CONFIG", "a regression head has no labels", { where: "problem_type", got: problem });
  }
  return {
    labels: configLabels(json),
    multiLabel: problem === "multi_label_classification",
    initializerRange: configNumber(json, ["initializer_range"], 0.02),
  };
}

/** The part of config.json that `headConfig` reads. */
export function headEntries(
  config: Pick<EncoderConfig, "labels" | "multiLabel" | "initializerRange">,
): Record<string, unknown> {
  const { labels } = config;
  return {
    dtype: "float16",
    torch_dtype: "float16",
    initializer_range: config.initializerRange,
    problem_type: config.multiLabel ? "multi_label_classification" : "single_label_classification",
    id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  };
}

/** Labels of config.json: `id2label`, else LABEL_0 … by `num_labels` (2 when absent, as upstream does). */
function configLabels(json: Readonly<Record<string, unknown>>): string[] {
  const table = json["id2label"];
  if (typeof table === "object" && table !== null) {
    const entries = Object.entries(table).sort(([a], [b]) => Number(a) - Number(b));
    return entries.map(([, label]) => String(label));
  }
  return Array.from({ length: configNumber(json, ["num_labels"], 2) }, (_, i) => `LABEL_${i}`);
}
