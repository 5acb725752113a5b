/** GPT-2 for sequence classification, read at the last token: https://openai.com/index/better-language-models/ */
import { EngineError } from "../error.ts";
import type { Value } from "../graph/op.ts";
import type { EncoderBuilder } from "../nn/builder.ts";
import { causalBias, lastTokenBias, lastTokenBut, positions, words } from "../nn/feed.ts";
import {
  configActivation,
  configNumber,
  configSize,
  defineArchitecture,
  type EncoderConfig,
  headConfig,
  headEntries,
  normSpecs,
  type ParameterSpec,
  tableSpec,
} from "./architecture.ts";

/** What GPT-2 has besides. */
interface Gpt2Config extends EncoderConfig {
  /** Scores are divided by √(head width). */
  readonly scalesScores: boolean;
  /** Scores of layer i are divided by i + 1. */
  readonly scalesByLayer: boolean;
}

/** Weight and bias of a linear layer stored (in, out). */
function turnedSpecs(name: string, size: readonly [width: number, out: number], layer: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: size, fresh: "normal", layer },
    { name: `${name}.bias`, shape: [size[1]], fresh: "zeros", layer },
  ];
}

/** Rows in, rows out; of the last layer only the last token of every text, (batch, hidden). */
function block(b: EncoderBuilder, x: Value, i: number, config: Gpt2Config): Value {
  const { hidden, heads, intermediate, activation, layerNormEps: eps, padId } = config;
  const { g } = b;
  const at = `transformer.h.${i}`;
  const turned = { inputFirst: true };
  const isLast = i === config.layers - 1; // the head reads the last token only
  const lastOf = (rows: Value): Value => (isLast ? b.weighTokens(rows, b.feed(lastTokenBut(padId))) : rows);

  const normed = b.layerNorm(x, `${at}.ln_1`, eps); // (rows, hidden)
  const joined = b.linear(normed, `${at}.attn.c_attn`, 3 * hidden, turned); // (rows, 3 hidden)
  const part = (k: number): Value => g.op("Slice", [joined], { from: k * hidden, to: (k + 1) * hidden }); // (rows, hidden)
  const scale = (config.scalesScores ? Math.sqrt(heads / hidden) : 1) / (config.scalesByLayer ? i + 1 : 1);
  const context = b.attend(lastOf(part(0)), part(1), part(2), {
    heads,
    scale,
    queries: isLast ? 1 : "tokens",
    biases: [b.feed(isLast ? lastTokenBias(padId) : causalBias)],
  });
  const attended = b.dropout(b.linear(context, `${at}.attn.c_proj`, hidden, turned), "hidden"); // (rows, hidden)
  const middle = g.op("Add", [attended, lastOf(x)]); // (rows, hidden)

  const inner = b.linear(b.layerNorm(middle, `${at}.ln_2`, eps), `${at}.mlp.c_fc`, intermediate, {
    activation,
    ...turned,
  }); // (rows, intermediate)
  const outer = b.dropout(b.linear(inner, `${at}.mlp.c_proj`, hidden, turned), "hidden"); // (rows, hidden)
  return g.op("Add", [outer, middle]);
}

export default defineArchitecture<Gpt2Config>({
  modelType: "gpt2",
  source: "https://github.com/huggingface/transformers/blob/main/src/transformers/models/gpt2/modeling_gpt2.py",
  presets: {
    gpt2: { repository: "openai-community/gpt2", revision: "607a30d783dfa663caf39e06633721c8d4cfcd7e" },
    distilgpt2: { repository: "distilbert/distilgpt2", revision: "2290a62682d06624634c1f46a6ad5be0f47f38aa" },
  },

  readConfig: (json) => {
    if (json["add_cross_attention"] === true) {
      throw new EngineError("CONFIG", "cross attention needs an encoder", { where: "add_cross_attention", got: true });
    }
    const hidden = configSize(json, ["n_embd", "hidden_size"]);
    return {
      ...headConfig(json),
      modelType: "gpt2",
      vocabSize: configSize(json, ["vocab_size"]),
      hidden,
      layers: configSize(json, ["n_layer", "num_hidden_layers"]),
      heads: configSize(json, ["n_head", "num_attention_heads"]),
      intermediate: configSize(json, ["n_inner", "intermediate_size"], 4 * hidden),
      activation: configActivation({ activation_function: "gelu_new", ...json }, "activation_function"),
      maxTokens: configSize(json, ["n_positions", "n_ctx", "max_position_embeddings"], 1024),
      layerNormEps: configNumber(json, ["layer_norm_epsilon"], 1e-5),
      padId: configNumber(json, ["pad_token_id", "eos_token_id"], 0), // GPT-2 itself has no padding token
      scalesScores: json["scale_attn_weights"] !== false,
      scalesByLayer: json["scale_attn_by_inverse_layer_idx"] === true,
    };
  },

  writeConfig: (config) => ({
    ...headEntries(config),
    architectures: ["GPT2ForSequenceClassification"],
    model_type: "gpt2",
    activation_function: config.activation,
    attn_pdrop: 0.1,
    embd_pdrop: 0.1,
    layer_norm_epsilon: config.layerNormEps,
    n_embd: config.hidden,
    n_head: config.heads,
    n_inner: config.intermediate,
    n_layer: config.layers,
    n_positions: config.maxTokens,
    pad_token_id: config.padId,
    resid_pdrop: 0.1,
    scale_attn_by_inverse_layer_idx: config.scalesByLayer,
    scale_attn_weights: config.scalesScores,
    vocab_size: config.vocabSize,
  }),

  parameters: ({ hidden, intermediate, layers, labels, ...config }) => [
    tableSpec("transformer.wte.weight", [config.vocabSize, hidden]),
    tableSpec("transformer.wpe.weight", [config.maxTokens, hidden]),
    ...Array.from({ length: layers }, (_, i) => {
      const at = `transformer.h.${i}`;
      return [
        ...normSpecs(`${at}.ln_1`, hidden, i),
        ...turnedSpecs(`${at}.attn.c_attn`, [hidden, 3 * hidden], i),
        ...turnedSpecs(`${at}.attn.c_proj`, [hidden, hidden], i),
        ...normSpecs(`${at}.ln_2`, hidden, i),
        ...turnedSpecs(`${at}.mlp.c_fc`, [hidden, intermediate], i),
        ...turnedSpecs(`${at}.mlp.c_proj`, [intermediate, hidden], i),
      ];
    }).flat(),
    ...normSpecs("transformer.ln_f", hidden, layers - 1),
    { name: "score.weight", shape: [labels.length, hidden], fresh: "normal" },
  ],

  forward: (b, config) => {
    const { hidden, layers } = config;
    const word = b.embedding("transformer.wte.weight", words, [config.vocabSize, hidden]); // (batch, tokens, hidden)
    const position = b.embedding("transformer.wpe.weight", positions(), [config.maxTokens, hidden]); // (tokens, hidden)
    let x = b.dropout(b.toRows(b.g.op("Add", [word, position])), "hidden"); // (rows, hidden)
    for (let i = 0; i < layers; i++) x = block(b, x, i, config); // (rows, hidden), then (batch, hidden)
    const last = b.layerNorm(x, "transformer.ln_f", config.layerNormEps); // (batch, hidden)
    return b.linear(last, "score", config.labels.length, { bias: false }); // (batch, labels)
  },
});
