/** BERT for sequence classification, one segment: https://arxiv.org/abs/1810.04805 */
import {
  configLabels,
  configNumber,
  defineArchitecture,
  labelEntries,
  type ParameterSpec,
  requireGelu,
} from "./architecture.ts";

export default defineArchitecture({
  modelType: "bert",
  source: "https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py",
  presets: {
    "bert-base": "google-bert/bert-base-uncased",
    "bert-multilingual": "google-bert/bert-base-multilingual-cased",
    "bert-tiny": "google/bert_uncased_L-2_H-128_A-2",
  },

  readConfig: (json) => {
    requireGelu(json, "hidden_act");
    return {
      modelType: "bert",
      vocabSize: configNumber(json, ["vocab_size"]),
      hidden: configNumber(json, ["hidden_size"]),
      layers: configNumber(json, ["num_hidden_layers"]),
      heads: configNumber(json, ["num_attention_heads"]),
      intermediate: configNumber(json, ["intermediate_size"]),
      maxPositions: configNumber(json, ["max_position_embeddings"], 512),
      tokenTypes: configNumber(json, ["type_vocab_size"], 2),
      layerNormEps: configNumber(json, ["layer_norm_eps"], 1e-12),
      padId: configNumber(json, ["pad_token_id"], 0),
      initializerRange: configNumber(json, ["initializer_range"], 0.02),
      labels: configLabels(json),
    };
  },

  writeConfig: (config) => ({
    architectures: ["BertForSequenceClassification"],
    model_type: "bert",
    hidden_act: "gelu",
    attention_probs_dropout_prob: 0.1,
    hidden_dropout_prob: 0.1,
    hidden_size: config.hidden,
    initializer_range: config.initializerRange,
    intermediate_size: config.intermediate,
    layer_norm_eps: config.layerNormEps,
    max_position_embeddings: config.maxPositions,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    pad_token_id: config.padId,
    torch_dtype: "float16",
    type_vocab_size: config.tokenTypes,
    vocab_size: config.vocabSize,
    ...labelEntries(config.labels),
  }),

  parameters: ({ hidden, intermediate, layers, vocabSize, maxPositions, tokenTypes, labels }) => {
    const linear = (name: string, out: number, width: number, layer?: number): ParameterSpec[] => {
      const where = layer === undefined ? {} : { layer };
      return [
        { name: `${name}.weight`, shape: [out, width], fresh: "normal", ...where },
        { name: `${name}.bias`, shape: [out], fresh: "zeros", ...where },
      ];
    };
    const norm = (name: string, layer: number): ParameterSpec[] => [
      { name: `${name}.weight`, shape: [hidden], fresh: "ones", layer },
      { name: `${name}.bias`, shape: [hidden], fresh: "zeros", layer },
    ];
    const e = "bert.embeddings";
    return [
      { name: `${e}.word_embeddings.weight`, shape: [vocabSize, hidden], fresh: "normal", table: "words", layer: -1 },
      {
        name: `${e}.position_embeddings.weight`,
        shape: [maxPositions, hidden],
        fresh: "normal",
        table: "positions",
        layer: -1,
      },
      {
        name: `${e}.token_type_embeddings.weight`,
        shape: [tokenTypes, hidden],
        fresh: "normal",
        table: "types",
        layer: -1,
      },
      ...norm(`${e}.LayerNorm`, -1),
      ...Array.from({ length: layers }, (_, i) => {
        const l = `bert.encoder.layer.${i}`;
        return [
          ...["query", "key", "value"].flatMap((name) => linear(`${l}.attention.self.${name}`, hidden, hidden, i)),
          ...linear(`${l}.attention.output.dense`, hidden, hidden, i),
          ...norm(`${l}.attention.output.LayerNorm`, i),
          ...linear(`${l}.intermediate.dense`, intermediate, hidden, i),
          ...linear(`${l}.output.dense`, hidden, intermediate, i),
          ...norm(`${l}.output.LayerNorm`, i),
        ];
      }).flat(),
      ...linear("bert.pooler.dense", hidden, hidden),
      ...linear("classifier", labels.length, hidden),
    ];
  },

  forward: (b, { hidden, heads, intermediate, layers, layerNormEps: eps, labels }) => {
    const { g } = b;
    const e = "bert.embeddings";
    const words = b.embedding(`${e}.word_embeddings.weight`, "words", hidden); // (batch, tokens, hidden)
    const positions = b.embedding(`${e}.position_embeddings.weight`, "positions", hidden); // (tokens, hidden)
    const types = b.embedding(`${e}.token_type_embeddings.weight`, "types", hidden); // (1, hidden): all tokens of type 0
    let x = b.toRows(g.op("Add", [words, g.op("Add", [positions, types])])); // (rows, hidden)
    x = b.dropout(b.layerNorm(x, `${e}.LayerNorm`, eps), "hidden"); // (rows, hidden)
    for (let i = 0; i < layers; i++) {
      const l = `bert.encoder.layer.${i}`;
      const firstOnly = i === layers - 1; // the pooler reads the first token only
      const s = `${l}.attention.self`;
      const names = {
        query: `${s}.query`,
        key: `${s}.key`,
        value: `${s}.value`,
        output: `${l}.attention.output.dense`,
      };
      const attended = b.dropout(b.attention(x, { ...names, heads, firstOnly }), "hidden"); // (rows, hidden), last layer (batch, hidden)
      const kept = firstOnly ? b.firstTokens(x) : x;
      x = b.layerNorm(g.op("Add", [attended, kept]), `${l}.attention.output.LayerNorm`, eps);
      const inner = g.op("Gelu", [b.linear(x, `${l}.intermediate.dense`, intermediate)]); // (rows, intermediate)
      const outer = b.dropout(b.linear(inner, `${l}.output.dense`, hidden), "hidden"); // (rows, hidden)
      x = b.layerNorm(g.op("Add", [outer, x]), `${l}.output.LayerNorm`, eps);
    }
    const pooled = g.op("Tanh", [b.linear(x, "bert.pooler.dense", hidden)]); // (batch, hidden)
    return b.linear(b.dropout(pooled, "head"), "classifier", labels.length); // (batch, labels)
  },
});
