/** BERT for sequence classification, one segment: https://arxiv.org/abs/1810.04805 */
import { firstType, positions, words } from "../nn/feed.ts";
import { type PostNormNames, postNormBlock } from "../nn/layers.ts";
import {
  configActivation,
  configNumber,
  configSize,
  defineArchitecture,
  type EncoderConfig,
  headConfig,
  headEntries,
  linearSpecs,
  normSpecs,
  type ParameterSpec,
  tableSpec,
} from "./architecture.ts";

/** What BERT and its relatives have besides. */
export interface BertConfig extends EncoderConfig {
  /** Rows of the position table. */
  readonly maxPositions: number;
  /** Rows of the token type table. */
  readonly tokenTypes: number;
}

/** Reads the keys that BERT and its relatives share; `firstPosition` rows of the position table are never used. */
export function readBertConfig(
  json: Readonly<Record<string, unknown>>,
  defaults: { readonly modelType: string; readonly padId: number; readonly firstPosition?: number },
): BertConfig {
  const maxPositions = configSize(json, ["max_position_embeddings"], 512);
  return {
    ...headConfig(json),
    modelType: defaults.modelType,
    vocabSize: configSize(json, ["vocab_size"]),
    hidden: configSize(json, ["hidden_size"]),
    layers: configSize(json, ["num_hidden_layers"]),
    heads: configSize(json, ["num_attention_heads"]),
    intermediate: configSize(json, ["intermediate_size"]),
    activation: configActivation(json, "hidden_act"),
    maxPositions,
    maxTokens: maxPositions - (defaults.firstPosition ?? 0),
    tokenTypes: configNumber(json, ["type_vocab_size"], 2),
    layerNormEps: configNumber(json, ["layer_norm_eps"], 1e-12),
    padId: configNumber(json, ["pad_token_id"], defaults.padId),
  };
}

/** The config.json entries that `readBertConfig` reads. */
export function bertEntries(config: BertConfig): Record<string, unknown> {
  return {
    ...headEntries(config),
    model_type: config.modelType,
    hidden_act: config.activation,
    attention_probs_dropout_prob: 0.1,
    hidden_dropout_prob: 0.1,
    hidden_size: config.hidden,
    intermediate_size: config.intermediate,
    layer_norm_eps: config.layerNormEps,
    max_position_embeddings: config.maxPositions,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    pad_token_id: config.padId,
    type_vocab_size: config.tokenTypes,
    vocab_size: config.vocabSize,
  };
}

/** Names inside layer `at`. */
export function bertLayer(at: string): PostNormNames {
  return {
    query: `${at}.attention.self.query`,
    key: `${at}.attention.self.key`,
    value: `${at}.attention.self.value`,
    output: `${at}.attention.output.dense`,
    attentionNorm: `${at}.attention.output.LayerNorm`,
    expand: `${at}.intermediate.dense`,
    contract: `${at}.output.dense`,
    outputNorm: `${at}.output.LayerNorm`,
  };
}

/** Parameters of one post-norm layer under its names. */
export function postNormSpecs(
  names: PostNormNames,
  layer: number,
  { hidden, intermediate }: Pick<EncoderConfig, "hidden" | "intermediate">,
): ParameterSpec[] {
  return [
    ...[names.query, names.key, names.value, names.output].flatMap((name) =>
      linearSpecs(name, [hidden, hidden], layer),
    ),
    ...normSpecs(names.attentionNorm, hidden, layer),
    ...linearSpecs(names.expand, [intermediate, hidden], layer),
    ...linearSpecs(names.contract, [hidden, intermediate], layer),
    ...normSpecs(names.outputNorm, hidden, layer),
  ];
}

/** Embedding tables and layers under a prefix; the head comes on top. `width` of the tables is `hidden` unless given. */
export function bertEncoderSpecs(prefix: string, config: BertConfig, width = config.hidden): ParameterSpec[] {
  const e = `${prefix}.embeddings`;
  return [
    tableSpec(`${e}.word_embeddings.weight`, [config.vocabSize, width]),
    tableSpec(`${e}.position_embeddings.weight`, [config.maxPositions, width]),
    ...(config.tokenTypes > 0 ? [tableSpec(`${e}.token_type_embeddings.weight`, [config.tokenTypes, width])] : []),
    ...normSpecs(`${e}.LayerNorm`, width, -1),
    ...Array.from({ length: config.layers }, (_, i) =>
      postNormSpecs(bertLayer(`${prefix}.encoder.layer.${i}`), i, config),
    ).flat(),
  ];
}

export default defineArchitecture<BertConfig>({
  modelType: "bert",
  source: "https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py",
  presets: {
    "bert-base": {
      repository: "google-bert/bert-base-uncased",
      revision: "86b5e0934494bd15c9632b12f734a8a67f723594",
    },
  },
  readConfig: (json) => readBertConfig(json, { modelType: "bert", padId: 0 }),
  writeConfig: (config) => ({ architectures: ["BertForSequenceClassification"], ...bertEntries(config) }),

  parameters: (config) => [
    ...bertEncoderSpecs("bert", config),
    ...linearSpecs("bert.pooler.dense", [config.hidden, config.hidden]),
    ...linearSpecs("classifier", [config.labels.length, config.hidden]),
  ],

  forward: (b, config) => {
    const { hidden, layers, layerNormEps: eps } = config;
    const { g } = b;
    const e = "bert.embeddings";
    const word = b.embedding(`${e}.word_embeddings.weight`, words, [config.vocabSize, hidden]); // (batch, tokens, hidden)
    const position = b.embedding(`${e}.position_embeddings.weight`, positions(), [config.maxPositions, hidden]); // (tokens, hidden)
    const type = b.embedding(`${e}.token_type_embeddings.weight`, firstType, [config.tokenTypes, hidden]); // (1, hidden)
    let x = b.toRows(g.op("Add", [word, g.op("Add", [position, type])])); // (rows, hidden)
    x = b.dropout(b.layerNorm(x, `${e}.LayerNorm`, eps), "hidden"); // (rows, hidden)
    for (let i = 0; i < layers; i++) {
      const firstOnly = i === layers - 1; // the pooler reads the first token only
      x = postNormBlock(b, x, bertLayer(`bert.encoder.layer.${i}`), { ...config, firstOnly, dropAttention: true });
    }
    const pooled = b.linear(x, "bert.pooler.dense", hidden, { activation: "tanh" }); // (batch, hidden)
    return b.linear(b.dropout(pooled, "head"), "classifier", config.labels.length); // (batch, labels)
  },
});
