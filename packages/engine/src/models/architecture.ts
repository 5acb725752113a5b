/** What a model architecture declares, and the configuration all encoders share once Hugging Face's names are gone. */
import { EngineError } from "../error.ts";
import type { Value } from "../graph/op.ts";
import type { EncoderBuilder } from "../nn/builder.ts";

/** An encoder with a classification head, in one vocabulary for every architecture. */
export interface EncoderConfig {
  readonly modelType: string;
  readonly vocabSize: number;
  /** Width of the token vectors. */
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of the feed-forward layer. */
  readonly intermediate: number;
  readonly maxPositions: number;
  /** Rows of the token type table; 0 when the architecture has none. */
  readonly tokenTypes: number;
  readonly layerNormEps: number;
  readonly padId: number;
  /** Standard deviation of fresh weights. */
  readonly initializerRange: number;
  /** Label names in the order of the logits. */
  readonly labels: readonly string[];
}

/** A parameter by its Hugging Face name. `fresh`: how it is filled when a checkpoint does not have it (a new head). */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly fresh: "normal" | "zeros" | "ones";
  /** An embedding table, and what selects its rows. */
  readonly table?: "words" | "positions" | "types";
  /** Encoder layer the parameter belongs to, -1 for embeddings; absent for the head. */
  readonly layer?: number;
}

/** One architecture: one file in this folder. */
export interface Architecture {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** The implementation this one agrees with. */
  readonly source: string;
  /** Checkpoints known to load, by short name: Hugging Face repositories. */
  readonly presets: Readonly<Record<string, string>>;
  /** Reads a Hugging Face config.json, old and new forms. Throws EngineError CONFIG on what is missing or unsupported. */
  readonly readConfig: (json: Readonly<Record<string, unknown>>) => EncoderConfig;
  /** Writes the config.json of a classifier. */
  readonly writeConfig: (config: EncoderConfig) => Record<string, unknown>;
  readonly parameters: (config: EncoderConfig) => readonly ParameterSpec[];
  /** Builds the forward pass; returns logits (batch, labels). */
  readonly forward: (b: EncoderBuilder, config: EncoderConfig) => Value;
}

/** Declares an architecture; the identity function, there for its type. */
export function defineArchitecture(architecture: Architecture): Architecture {
  return architecture;
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

/** Throws EngineError CONFIG unless the activation is exact GELU, the only one these encoders were made with. */
export function requireGelu(json: Readonly<Record<string, unknown>>, name: string): void {
  const value = json[name] ?? "gelu";
  if (value !== "gelu") throw new EngineError("CONFIG", `unsupported ${name}`, { expected: "gelu", got: value });
}

/** Labels of config.json: `id2label`, else LABEL_0 … by `num_labels` (2 when absent, as upstream does). */
export function configLabels(json: Readonly<Record<string, unknown>>): string[] {
  const table = json["id2label"];
  if (typeof table === "object" && table !== null) {
    const entries = Object.entries(table).sort(([a], [b]) => Number(a) - Number(b));
    return entries.map(([, label]) => String(label));
  }
  return Array.from({ length: configNumber(json, ["num_labels"], 2) }, (_, i) => `LABEL_${i}`);
}

/** The `id2label` and `label2id` entries of config.json. */
export function labelEntries(labels: readonly string[]): Record<string, unknown> {
  return {
    id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  };
}
