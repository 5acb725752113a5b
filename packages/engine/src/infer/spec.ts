/**
 * What the fused inference graph must know about an encoder: sizes and the names of its weights.
 * Read from a Hugging Face `config.json`; families whose blocks are the original post-norm Transformer.
 */
import { EngineError } from "../error.ts";

/** Activation of the feed-forward block, by its Hugging Face name, aliases merged. */
export type Activation = "gelu" | "gelu_new" | "relu";

/** Weight names of one linear layer: weight is (out, in), bias is (out). */
export interface LinearNames {
  readonly weight: string;
  readonly bias: string;
}

/** Weight names of one encoder block, norms included (weight is gamma, bias is beta). */
export interface BlockNames {
  readonly query: LinearNames;
  readonly key: LinearNames;
  readonly value: LinearNames;
  readonly attentionOut: LinearNames;
  readonly attentionNorm: LinearNames;
  readonly expand: LinearNames;
  readonly contract: LinearNames;
  readonly outputNorm: LinearNames;
}

/** An encoder with a classification head, as the fused graph sees it. */
export interface EncoderSpec {
  readonly family: string;
  readonly layers: number;
  readonly dim: number;
  readonly heads: number;
  readonly hidden: number;
  readonly activation: Activation;
  readonly epsilon: number;
  /** Longest input in tokens, specials included. */
  readonly maxTokens: number;
  /** Row of the position table that the first token reads (RoBERTa: pad id + 1). */
  readonly firstPosition: number;
  readonly labels: readonly string[];
  readonly words: string;
  readonly positions: string;
  readonly types?: string;
  readonly embeddingNorm: LinearNames;
  readonly blocks: readonly BlockNames[];
  /** The layer between the first token and the classifier. */
  readonly pre: LinearNames & { readonly activation: "Relu" | "Tanh" };
  readonly classifier: LinearNames;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads an `EncoderSpec` from a parsed `config.json`.
 * @throws EngineError CONFIG for families without a fused graph and for missing or wrong sizes.
 * @example
 * encoderSpec({ model_type: "distilbert", dim: 384, n_heads: 12, n_layers: 6, hidden_dim: 1536, … }).layers; // 6
 */
export function encoderSpec(config: Json): EncoderSpec {
  const family = config["model_type"];
  if (family === "distilbert") return distilbertSpec(config);
  if (family === "bert") return bertSpec(config, "bert", 0);
  if (family === "roberta" || family === "xlm-roberta") {
    return bertSpec(config, "roberta", Number(config["pad_token_id"] ?? 1) + 1);
  }
  throw new EngineError("CONFIG", "no fused inference graph for this model_type", {
    where: "config.json: model_type",
    expected: "distilbert, bert, roberta, xlm-roberta",
    got: family,
  });
}

function distilbertSpec(config: Json): EncoderSpec {
  const layers = size(config, "n_layers");
  return {
    family: "distilbert",
    layers,
    dim: size(config, "dim"),
    heads: size(config, "n_heads"),
    hidden: size(config, "hidden_dim"),
    activation: activation(config["activation"]),
    epsilon: 1e-12,
    maxTokens: size(config, "max_position_embeddings"),
    firstPosition: 0,
    labels: labelsOf(config),
    words: "distilbert.embeddings.word_embeddings.weight",
    positions: "distilbert.embeddings.position_embeddings.weight",
    embeddingNorm: linear("distilbert.embeddings.LayerNorm"),
    blocks: Array.from({ length: layers }, (_, i) => {
      const at = `distilbert.transformer.layer.${i}`;
      return {
        query: linear(`${at}.attention.q_lin`),
        key: linear(`${at}.attention.k_lin`),
        value: linear(`${at}.attention.v_lin`),
        attentionOut: linear(`${at}.attention.out_lin`),
        attentionNorm: linear(`${at}.sa_layer_norm`),
        expand: linear(`${at}.ffn.lin1`),
        contract: linear(`${at}.ffn.lin2`),
        outputNorm: linear(`${at}.output_layer_norm`),
      };
    }),
    pre: { ...linear("pre_classifier"), activation: "Relu" },
    classifier: linear("classifier"),
  };
}

function bertSpec(config: Json, prefix: "bert" | "roberta", firstPosition: number): EncoderSpec {
  const layers = size(config, "num_hidden_layers");
  const roberta = prefix === "roberta";
  return {
    family: prefix,
    layers,
    dim: size(config, "hidden_size"),
    heads: size(config, "num_attention_heads"),
    hidden: size(config, "intermediate_size"),
    activation: activation(config["hidden_act"]),
    epsilon: Number(config["layer_norm_eps"] ?? 1e-12),
    maxTokens: size(config, "max_position_embeddings") - firstPosition,
    firstPosition,
    labels: labelsOf(config),
    words: `${prefix}.embeddings.word_embeddings.weight`,
    positions: `${prefix}.embeddings.position_embeddings.weight`,
    types: `${prefix}.embeddings.token_type_embeddings.weight`,
    embeddingNorm: linear(`${prefix}.embeddings.LayerNorm`),
    blocks: Array.from({ length: layers }, (_, i) => {
      const at = `${prefix}.encoder.layer.${i}`;
      return {
        query: linear(`${at}.attention.self.query`),
        key: linear(`${at}.attention.self.key`),
        value: linear(`${at}.attention.self.value`),
        attentionOut: linear(`${at}.attention.output.dense`),
        attentionNorm: linear(`${at}.attention.output.LayerNorm`),
        expand: linear(`${at}.intermediate.dense`),
        contract: linear(`${at}.output.dense`),
        outputNorm: linear(`${at}.output.LayerNorm`),
      };
    }),
    pre: { ...linear(roberta ? "classifier.dense" : "bert.pooler.dense"), activation: "Tanh" },
    classifier: linear(roberta ? "classifier.out_proj" : "classifier"),
  };
}

function linear(at: string): LinearNames {
  return { weight: `${at}.weight`, bias: `${at}.bias` };
}

function size(config: Json, key: string): number {
  const value = config[key];
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw new EngineError("CONFIG", `${key} is not a size`, { where: `config.json: ${key}`, got: value });
}

function activation(name: unknown): Activation {
  if (name === "gelu" || name === undefined) return "gelu";
  if (name === "gelu_new" || name === "gelu_pytorch_tanh" || name === "gelu_fast") return "gelu_new";
  if (name === "relu") return "relu";
  throw new EngineError("CONFIG", "activation is not supported", { expected: "gelu, gelu_new, relu", got: name });
}

/** Labels by index from `id2label`; an encoder without a head has none. */
function labelsOf(config: Json): string[] {
  const map = config["id2label"];
  if (typeof map !== "object" || map === null) return [];
  const entries = Object.entries(map).sort(([a], [b]) => Number(a) - Number(b));
  return entries.map(([, label]) => String(label));
}
