/** ELECTRA's discriminator for sequence classification: BERT over narrower embeddings. https://arxiv.org/abs/2003.10555 */
import { firstType, positions, words } from "../nn/feed.ts";
import { postNormBlock } from "../nn/layers.ts";
import { configSize, defineArchitecture, linearSpecs } from "./architecture.ts";
import { type BertConfig, bertEncoderSpecs, bertEntries, bertLayer, readBertConfig } from "./bert.ts";

interface ElectraConfig extends BertConfig {
  /** Width of the embedding tables; another one than `hidden` is projected. */
  readonly embedding: number;
}

export default defineArchitecture<ElectraConfig>({
  modelType: "electra",
  source: "https://github.com/huggingface/transformers/blob/main/src/transformers/models/electra/modeling_electra.py",
  presets: {
    "electra-small": {
      repository: "google/electra-small-discriminator",
      revision: "fa8239aadc095e9164941d05878b98afe9b953c3",
    },
  },
  readConfig: (json) => ({
    ...readBertConfig(json, { modelType: "electra", padId: 0 }),
    embedding: configSize(json, ["embedding_size"], 128),
  }),
  writeConfig: (config) => ({
    architectures: ["ElectraForSequenceClassification"],
    ...bertEntries(config),
    embedding_size: config.embedding,
  }),

  parameters: (config) => [
    ...bertEncoderSpecs("electra", config, config.embedding),
    ...(config.embedding === config.hidden
      ? []
      : linearSpecs("electra.embeddings_project", [config.hidden, config.embedding], -1)),
    ...linearSpecs("classifier.dense", [config.hidden, config.hidden]),
    ...linearSpecs("classifier.out_proj", [config.labels.length, config.hidden]),
  ],

  forward: (b, config) => {
    const { hidden, embedding, layers, layerNormEps: eps } = config;
    const { g } = b;
    const e = "electra.embeddings";
    const word = b.embedding(`${e}.word_embeddings.weight`, words, [config.vocabSize, embedding]); // (batch, tokens, embedding)
    const position = b.embedding(`${e}.position_embeddings.weight`, positions(), [config.maxPositions, embedding]); // (tokens, embedding)
    const type = b.embedding(`${e}.token_type_embeddings.weight`, firstType, [config.tokenTypes, embedding]); // (1, embedding)
    let x = b.toRows(g.op("Add", [word, g.op("Add", [position, type])])); // (rows, embedding)
    x = b.dropout(b.layerNorm(x, `${e}.LayerNorm`, eps), "hidden"); // (rows, embedding)
    if (embedding !== hidden) x = b.linear(x, "electra.embeddings_project", hidden); // (rows, hidden)
    for (let i = 0; i < layers; i++) {
      const firstOnly = i === layers - 1; // the head reads the first token only
      x = postNormBlock(b, x, bertLayer(`electra.encoder.layer.${i}`), { ...config, firstOnly, dropAttention: true });
    }
    const dense = b.linear(b.dropout(x, "head"), "classifier.dense", hidden, { activation: "gelu" }); // (batch, hidden)
    return b.linear(b.dropout(dense, "head"), "classifier.out_proj", config.labels.length); // (batch, labels)
  },
});
