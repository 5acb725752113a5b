/** DistilBERT for sequence classification: https://arxiv.org/abs/1910.01108 */
import { positions, words } from "../nn/feed.ts";
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
  tableSpec,
} from "./architecture.ts";
import { postNormSpecs } from "./bert.ts";

const layerAt = (i: number): PostNormNames => {
  const at = `distilbert.transformer.layer.${i}`;
  return {
    query: `${at}.attention.q_lin`,
    key: `${at}.attention.k_lin`,
    value: `${at}.attention.v_lin`,
    output: `${at}.attention.out_lin`,
    attentionNorm: `${at}.sa_layer_norm`,
    expand: `${at}.ffn.lin1`,
    contract: `${at}.ffn.lin2`,
    outputNorm: `${at}.output_layer_norm`,
  };
};

export default defineArchitecture<EncoderConfig>({
  modelType: "distilbert",
  source:
    "https://github.com/huggingface/transformers/blob/main/src/transformers/models/distilbert/modeling_distilbert.py",
  presets: {
    distilbert: {
      repository: "distilbert/distilbert-base-uncased",
      revision: "12040accade4e8a0f71eabdb258fecc2e7e948be",
    },
  },

  readConfig: (json) => ({
    ...headConfig(json),
    modelType: "distilbert",
    vocabSize: configSize(json, ["vocab_size"]),
    hidden: configSize(json, ["dim", "hidden_size"]),
    layers: configSize(json, ["n_layers", "num_hidden_layers"]),
    heads: configSize(json, ["n_heads", "num_attention_heads"]),
    intermediate: configSize(json, ["hidden_dim", "intermediate_size"]),
    activation: configActivation(json, "activation"),
    maxTokens: configSize(json, ["max_position_embeddings"], 512),
    layerNormEps: 1e-12,
    padId: configNumber(json, ["pad_token_id"], 0),
  }),

  writeConfig: (config) => ({
    ...headEntries(config),
    architectures: ["DistilBertForSequenceClassification"],
    model_type: "distilbert",
    activation: config.activation,
    attention_dropout: 0.1,
    dim: config.hidden,
    dropout: 0.1,
    hidden_dim: config.intermediate,
    max_position_embeddings: config.maxTokens,
    n_heads: config.heads,
    n_layers: config.layers,
    pad_token_id: config.padId,
    seq_classif_dropout: 0.2,
    sinusoidal_pos_embds: false,
    vocab_size: config.vocabSize,
  }),

  parameters: (config) => [
    tableSpec("distilbert.embeddings.word_embeddings.weight", [config.vocabSize, config.hidden]),
    tableSpec("distilbert.embeddings.position_embeddings.weight", [config.maxTokens, config.hidden]),
    ...normSpecs("distilbert.embeddings.LayerNorm", config.hidden, -1),
    ...Array.from({ length: config.layers }, (_, i) => postNormSpecs(layerAt(i), i, config)).flat(),
    ...linearSpecs("pre_classifier", [config.hidden, config.hidden]),
    ...linearSpecs("classifier", [config.labels.length, config.hidden]),
  ],

  forward: (b, config) => {
    const { hidden, layers, layerNormEps: eps } = config;
    const { g } = b;
    const e = "distilbert.embeddings";
    const word = b.embedding(`${e}.word_embeddings.weight`, words, [config.vocabSize, hidden]); // (batch, tokens, hidden)
    const position = b.embedding(`${e}.position_embeddings.weight`, positions(), [config.maxTokens, hidden]); // (tokens, hidden)
    let x = b.toRows(g.op("Add", [word, position])); // (rows, hidden)
    x = b.dropout(b.layerNorm(x, `${e}.LayerNorm`, eps), "hidden"); // (rows, hidden)
    for (let i = 0; i < layers; i++) {
      const firstOnly = i === layers - 1; // the head reads the first token only
      x = postNormBlock(b, x, layerAt(i), { ...config, firstOnly, dropAttention: false });
    }
    const pooled = b.linear(x, "pre_classifier", hidden, { activation: "relu" }); // (batch, hidden)
    return b.linear(b.dropout(pooled, "head"), "classifier", config.labels.length); // (batch, labels)
  },
});
