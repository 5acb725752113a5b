/** RoBERTa for sequence classification: https://arxiv.org/abs/1907.11692 */
import { firstType, positions, words } from "../nn/feed.ts";
import { postNormBlock } from "../nn/layers.ts";
import { type Architecture, configNumber, defineArchitecture, linearSpecs, type Preset } from "./architecture.ts";
import { type BertConfig, bertEncoderSpecs, bertEntries, bertLayer, readBertConfig } from "./bert.ts";

/** RoBERTa under a model type of its own: XLM-R differs in its vocabulary only. */
export function robertaFor(
  modelType: string,
  upstream: { readonly name: string; readonly source: string; readonly presets: Readonly<Record<string, Preset>> },
): Architecture {
  return defineArchitecture<BertConfig>({
    modelType,
    source: upstream.source,
    presets: upstream.presets,
    // Positions count from the one behind the padding's.
    readConfig: (json) =>
      readBertConfig(json, { modelType, padId: 1, firstPosition: configNumber(json, ["pad_token_id"], 1) + 1 }),
    writeConfig: (config) => ({ architectures: [upstream.name], ...bertEntries(config) }),

    parameters: (config) => [
      ...bertEncoderSpecs("roberta", config),
      ...linearSpecs("classifier.dense", [config.hidden, config.hidden]),
      ...linearSpecs("classifier.out_proj", [config.labels.length, config.hidden]),
    ],

    forward: (b, config) => {
      const { hidden, layers, layerNormEps: eps, maxPositions, padId } = config;
      const { g } = b;
      const e = "roberta.embeddings";
      const word = b.embedding(`${e}.word_embeddings.weight`, words, [config.vocabSize, hidden]); // (batch, tokens, hidden)
      const position = b.embedding(`${e}.position_embeddings.weight`, positions(padId + 1), [maxPositions, hidden]); // (tokens, hidden)
      const type = b.embedding(`${e}.token_type_embeddings.weight`, firstType, [config.tokenTypes, hidden]); // (1, hidden)
      let x = b.toRows(g.op("Add", [word, g.op("Add", [position, type])])); // (rows, hidden)
      x = b.dropout(b.layerNorm(x, `${e}.LayerNorm`, eps), "hidden"); // (rows, hidden)
      for (let i = 0; i < layers; i++) {
        const firstOnly = i === layers - 1; // the head reads the first token only
        x = postNormBlock(b, x, bertLayer(`roberta.encoder.layer.${i}`), { ...config, firstOnly, dropAttention: true });
      }
      const dense = b.linear(b.dropout(x, "head"), "classifier.dense", hidden, { activation: "tanh" }); // (batch, hidden)
      return b.linear(b.dropout(dense, "head"), "classifier.out_proj", config.labels.length); // (batch, labels)
    },
  });
}

export default robertaFor("roberta", {
  name: "RobertaForSequenceClassification",
  source: "https://github.com/huggingface/transformers/blob/main/src/transformers/models/roberta/modeling_roberta.py",
  presets: {
    "roberta-base": {
      repository: "FacebookAI/roberta-base",
      revision: "e2da8e2f811d1448a5b465c236feacd80ffbac7b",
    },
  },
});
