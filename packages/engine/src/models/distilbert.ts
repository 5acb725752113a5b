/** DistilBERT for sequence classification: https://arxiv.org/abs/1910.01108 */
import {
  configLabels,
  configNumber,
  defineArchitecture,
  labelEntries,
  type ParameterSpec,
  requireGelu,
} from "./architecture.ts";

export default defineArchitecture({
  modelType: "distilbert",
  source:
    "https://github.com/huggingface/transformers/blob/main/src/transformers/models/distilbert/modeling_distilbert.py",
  presets: {
    "distilbert-base": "distilbert/distilbert-base-uncased",
    "distilbert-multilingual": "distilbert/distilbert-base-multilingual-cased",
  },

  readConfig: (json) => {
    requireGelu(json, "activation");
    return {
      modelType: "distilbert",
      vocabSize: configNumber(json, ["vocab_size"]),
      hidden: configNumber(json, ["dim", "hidden_size"]),
      layers: configNumber(json, ["n_layers", "num_hidden_layers"]),
      heads: configNumber(json, ["n_heads", "num_attention_heads"]),
      intermediate: configNumber(json, ["hidden_dim", "intermediate_size"]),
      maxPositions: configNumber(json, ["max_position_embeddings"], 512),
      tokenTypes: 0,
      layerNormEps: 1e-12,
      padId: configNumber(json, ["pad_token_id"], 0),
      initializerRange: configNumber(json, ["initializer_range"], 0.02),
      labels: configLabels(json),
    };
  },

  writeConfig: (config) => ({
    architectures: ["DistilBertForSequenceClassification"],
    model_type: "distilbert",
    activation: "gelu",
    attention_dropout: 0.1,
    dim: config.hidden,
    dropout: 0.1,
    hidden_dim: config.intermediate,
    initializer_range: config.initializerRange,
    max_position_embeddings: config.maxPositions,
    n_heads: config.heads,
    n_layers: config.layers,
    pad_token_id: config.padId,
    seq_classif_dropout: 0.2,
    sinusoidal_pos_embds: false,
    torch_dtype: "float16",
    vocab_size: config.vocabSize,
    ...labelEntries(config.labels),
  }),

  parameters: ({ hidden, intermediate, layers, vocabSize, maxPositions, labels }) => {
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
    const e = "distilbert.embeddings";
    return [
      { name: `${e}.word_embeddings.weight`, shape: [vocabSize, hidden], fresh: "normal", table: "words", layer: -1 },
      {
        name: `${e}.position_embeddings.weight`,
        shape: [maxPositions, hidden],
        fresh: "normal",
        table: "positions",
        layer: -1,
      },
      ...norm(`${e}.LayerNorm`, -1),
      ...Array.from({ length: layers }, (_, i) => {
        const l = `distilbert.transformer.layer.${i}`;
        return [
          ...["q_lin", "k_lin", "v_lin", "out_lin"].flatMap((name) =>
            linear(`${l}.attention.${name}`, hidden, hidden, i),
          ),
          ...norm(`${l}.sa_layer_norm`, i),
          ...linear(`${l}.ffn.lin1`, intermediate, hidden, i),
          ...linear(`${l}.ffn.lin2`, hidden, intermediate, i),
          ...norm(`${l}.output_layer_norm`, i),
        ];
      }).flat(),
      ...linear("pre_classifier", hidden, hidden),
      ...linear("classifier", labels.length, hidden),
    ];
  },

  forward: (b, { hidden, heads, intermediate, layers, layerNormEps: eps, labels }) => {
    const { g } = b;
    const words = b.embedding("distilbert.embeddings.word_embeddings.weight", "words", hidden); // (batch, tokens, hidden)
    const positions = b.embedding("distilbert.embeddings.position_embeddings.weight", "positions", hidden); // (tokens, hidden)
    let x = b.toRows(g.op("Add", [words, positions])); // (rows, hidden)
    x = b.dropout(b.layerNorm(x, "distilbert.embeddings.LayerNorm", eps), "hidden"); // (rows, hidden)
    for (let i = 0; i < layers; i++) {
      const l = `distilbert.transformer.layer.${i}`;
      const firstOnly = i === layers - 1; // the head reads the first token only
      const a = `${l}.attention`;
      const names = { query: `${a}.q_lin`, key: `${a}.k_lin`, value: `${a}.v_lin`, output: `${a}.out_lin` };
      const attended = b.attention(x, { ...names, heads, firstOnly }); // (rows, hidden), last layer (batch, hidden)
      const kept = firstOnly ? b.firstTokens(x) : x;
      x = b.layerNorm(g.op("Add", [attended, kept]), `${l}.sa_layer_norm`, eps);
      const inner = g.op("Gelu", [b.linear(x, `${l}.ffn.lin1`, intermediate)]); // (rows, intermediate)
      const outer = b.dropout(b.linear(inner, `${l}.ffn.lin2`, hidden), "hidden"); // (rows, hidden)
      x = b.layerNorm(g.op("Add", [outer, x]), `${l}.output_layer_norm`, eps);
    }
    const pooled = g.op("Relu", [b.linear(x, "pre_classifier", hidden)]); // (batch, hidden)
    return b.linear(b.dropout(pooled, "head"), "classifier", labels.length); // (batch, labels)
  },
});
