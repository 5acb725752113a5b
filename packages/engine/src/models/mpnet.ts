/** MPNet for sequence classification: one relative position bias for all layers. https://arxiv.org/abs/2004.09297 */
import type { Value } from "../graph/op.ts";
import { distanceBucket } from "../nn/buckets.ts";
import type { EncoderBuilder } from "../nn/builder.ts";
import { fromFirst, pairs, positions, words } from "../nn/feed.ts";
import { type PostNormNames, postNormBlock } from "../nn/layers.ts";
import { configSize, defineArchitecture, linearSpecs, normSpecs, tableSpec } from "./architecture.ts";
import { type BertConfig, bertEntries, postNormSpecs, readBertConfig } from "./bert.ts";

interface MpnetConfig extends BertConfig {
  /** Rows of the relative position table. */
  readonly relativeRows: number;
}

/** Upstream's forward pass has these fixed, whatever the configuration says. */
const firstPosition = 2;
const buckets = 32;

const layerAt = (i: number): PostNormNames => {
  const at = `mpnet.encoder.layer.${i}`;
  return {
    query: `${at}.attention.attn.q`,
    key: `${at}.attention.attn.k`,
    value: `${at}.attention.attn.v`,
    output: `${at}.attention.attn.o`,
    attentionNorm: `${at}.attention.LayerNorm`,
    expand: `${at}.intermediate.dense`,
    contract: `${at}.output.dense`,
    outputNorm: `${at}.output.LayerNorm`,
  };
};

const table = "mpnet.encoder.relative_attention_bias.weight";
const rowOf = (distance: number): number => distanceBucket(distance, { buckets, maxDistance: 128, isTwoSided: true });

/** Added to the scores of every query, by distance: (1, heads, tokens, tokens). */
function everyBias(b: EncoderBuilder, { heads, relativeRows }: MpnetConfig): Value {
  const rows = b.embedding(table, pairs("relative", rowOf), [relativeRows, heads]); // (tokens, tokens, heads)
  const bias = b.g.op("Transpose", [rows], { perm: [2, 0, 1] }); // (heads, tokens, tokens)
  return b.g.op("Reshape", [bias], { shape: [1, heads, "tokens", "tokens"] });
}

/** The same for the first query alone: (1, heads, 1, tokens). */
function firstBias(b: EncoderBuilder, { heads, relativeRows }: MpnetConfig): Value {
  const rows = b.embedding(table, fromFirst("relative_first", rowOf), [relativeRows, heads]); // (tokens, heads)
  const bias = b.g.op("Transpose", [rows], { perm: [1, 0] }); // (heads, tokens)
  return b.g.op("Reshape", [bias], { shape: [1, heads, 1, "tokens"] });
}

export default defineArchitecture<MpnetConfig>({
  modelType: "mpnet",
  source: "https://github.com/huggingface/transformers/blob/main/src/transformers/models/mpnet/modeling_mpnet.py",
  presets: {
    "mpnet-base": { repository: "microsoft/mpnet-base", revision: "6996ce1e91bd2a9c7d7f61daec37463394f73f09" },
  },
  readConfig: (json) => ({
    ...readBertConfig(json, { modelType: "mpnet", padId: 1, firstPosition }),
    tokenTypes: 0,
    relativeRows: configSize(json, ["relative_attention_num_buckets"], buckets),
  }),
  writeConfig: (config) => ({
    architectures: ["MPNetForSequenceClassification"],
    ...bertEntries(config),
    relative_attention_num_buckets: config.relativeRows,
  }),

  parameters: (config) => [
    tableSpec("mpnet.embeddings.word_embeddings.weight", [config.vocabSize, config.hidden]),
    tableSpec("mpnet.embeddings.position_embeddings.weight", [config.maxPositions, config.hidden]),
    ...normSpecs("mpnet.embeddings.LayerNorm", config.hidden, -1),
    tableSpec(table, [config.relativeRows, config.heads]),
    ...Array.from({ length: config.layers }, (_, i) => postNormSpecs(layerAt(i), i, config)).flat(),
    ...linearSpecs("classifier.dense", [config.hidden, config.hidden]),
    ...linearSpecs("classifier.out_proj", [config.labels.length, config.hidden]),
  ],

  forward: (b, config) => {
    const { hidden, layers, layerNormEps: eps } = config;
    const e = "mpnet.embeddings";
    const word = b.embedding(`${e}.word_embeddings.weight`, words, [config.vocabSize, hidden]); // (batch, tokens, hidden)
    const rows = [config.maxPositions, hidden] as const;
    const position = b.embedding(`${e}.position_embeddings.weight`, positions(firstPosition), rows); // (tokens, hidden)
    let x = b.toRows(b.g.op("Add", [word, position])); // (rows, hidden)
    x = b.dropout(b.layerNorm(x, `${e}.LayerNorm`, eps), "hidden"); // (rows, hidden)
    let every: Value | undefined;
    for (let i = 0; i < layers; i++) {
      const firstOnly = i === layers - 1; // the head reads the first token only
      const biases = [firstOnly ? firstBias(b, config) : (every ??= everyBias(b, config))]; // all layers share one
      x = postNormBlock(b, x, layerAt(i), { ...config, firstOnly, biases, dropAttention: true });
    }
    const dense = b.linear(b.dropout(x, "head"), "classifier.dense", hidden, { activation: "tanh" }); // (batch, hidden)
    return b.linear(b.dropout(dense, "head"), "classifier.out_proj", config.labels.length); // (batch, labels)
  },
});
