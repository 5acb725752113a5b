/** ModernBERT for sequence classification: rotary positions, local and global attention. https://arxiv.org/abs/2412.13663 */
import { EngineError } from "../error.ts";
import type { Value } from "../graph/op.ts";
import type { Activation, EncoderBuilder } from "../nn/builder.ts";
import { localBias, meanOfTokens, rotation, words } from "../nn/feed.ts";
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
  weightsOnly,
} from "./architecture.ts";

/** What ModernBERT has besides. */
interface ModernBertConfig extends EncoderConfig {
  readonly pooling: "cls" | "mean";
  /** For every layer, whether each token sees all others. */
  readonly isGlobal: readonly boolean[];
  /** Width of a local layer's window, the token itself in its middle. */
  readonly localTokens: number;
  /** Longest wave of the rotary positions over 2π, for global and local layers. */
  readonly globalTheta: number;
  readonly localTheta: number;
  readonly attentionBias: boolean;
  readonly feedForwardBias: boolean;
  readonly normBias: boolean;
  readonly headBias: boolean;
  readonly headActivation: Activation;
}

/** Which layers are global: transformers 5 lists them, older files give their period. */
function globalLayers(json: Readonly<Record<string, unknown>>, layers: number): boolean[] {
  const types = json["layer_types"];
  if (Array.isArray(types)) {
    if (types.length === layers) return types.map((type) => type === "full_attention");
    const details = { where: "layer_types", expected: layers, got: types.length };
    throw new EngineError("CONFIG", "config.json: layer_types does not fit the number of layers", details);
  }
  const period = configSize(json, ["global_attn_every_n_layers"], 3);
  return Array.from({ length: layers }, (_, i) => i % period === 0);
}

/** Base of the rotary angles: in `rope_parameters` by kind of layer, in older files under a key of its own. */
function thetaOf(
  json: Readonly<Record<string, unknown>>,
  kind: "full_attention" | "sliding_attention",
  old: { readonly key: string; readonly fallback: number },
): number {
  const all = json["rope_parameters"] as Readonly<Record<string, unknown>> | null | undefined;
  const own = (all?.[kind] ?? {}) as Readonly<Record<string, unknown>>;
  const rope = own["rope_type"] ?? "default";
  if (rope === "default") return configNumber({ ...json, ...own }, ["rope_theta", old.key], old.fallback);
  const details = { where: `rope_parameters.${kind}.rope_type`, expected: "default", got: rope };
  throw new EngineError("CONFIG", "config.json: rope_type is not supported", details);
}

const linear = (
  name: string,
  size: readonly [number, number],
  { bias, layer }: { readonly bias: boolean; readonly layer?: number },
): ParameterSpec[] => (bias ? linearSpecs(name, size, layer) : weightsOnly(linearSpecs(name, size, layer)));

/** The results of a combined linear layer, each `width` columns. */
const parts = (b: EncoderBuilder, joined: Value, width: number): Value[] =>
  Array.from({ length: Number(joined.shape[1]) / width }, (_, k) =>
    b.g.op("Slice", [joined], { from: k * width, to: (k + 1) * width }),
  );

/** x = x + attention(norm(x)); x = x + feedForward(norm(x)). Rows in, rows out (batch rows when the head wants no others). */
function block(b: EncoderBuilder, x: Value, i: number, config: ModernBertConfig): Value {
  const { hidden, heads, intermediate, layerNormEps: eps, normBias } = config;
  const { g } = b;
  const at = `model.layers.${i}`;
  const isGlobal = config.isGlobal[i] === true;
  const firstOnly = config.pooling === "cls" && i === config.layers - 1;
  const read = (rows: Value): Value => (firstOnly ? b.firstTokens(rows) : rows);
  const [cos, sin] = (["cos", "sin"] as const).map((wave) =>
    b.feed(rotation(wave, isGlobal ? config.globalTheta : config.localTheta, hidden / heads)),
  ) as [Value, Value]; // (tokens, head width / 2)
  const turned = (rows: Value): Value => b.toRows(g.op("Rotate", [b.toTokens(rows), cos, sin]));

  // The embeddings are normalised already, so the first layer has no norm of its own.
  const normed = i === 0 ? x : b.layerNorm(x, `${at}.attn_norm`, eps, { bias: normBias }); // (rows, hidden)
  const bias = { bias: config.attentionBias };
  const joined = b.linear(normed, `${at}.attn.Wqkv`, 3 * hidden, bias); // (rows, 3 hidden)
  const [q = joined, k = joined, v = joined] = parts(b, joined, hidden); // (rows, hidden)
  const biases = isGlobal ? [] : [b.feed(localBias(Math.floor(config.localTokens / 2)))];
  const context = b.attend(turned(q), turned(k), v, { heads, queries: "tokens", biases }); // (rows, hidden)
  const attended = b.dropout(b.linear(read(context), `${at}.attn.Wo`, hidden, bias), "hidden"); // (rows, hidden)
  const middle = g.op("Add", [attended, read(x)]); // (rows, hidden)

  const rows = b.layerNorm(middle, `${at}.mlp_norm`, eps, { bias: normBias }); // (rows, hidden)
  const wide = b.linear(rows, `${at}.mlp.Wi`, 2 * intermediate, { bias: config.feedForwardBias }); // (rows, 2 intermediate)
  const [inner = wide, gate = wide] = parts(b, wide, intermediate); // (rows, intermediate)
  const gated = b.dropout(g.op("Mul", [b.activate(inner, config.activation), gate]), "hidden"); // (rows, intermediate)
  const outer = b.linear(gated, `${at}.mlp.Wo`, hidden, { bias: config.feedForwardBias }); // (rows, hidden)
  return g.op("Add", [outer, middle]);
}

export default defineArchitecture<ModernBertConfig>({
  modelType: "modernbert",
  source:
    "https://github.com/huggingface/transformers/blob/main/src/transformers/models/modernbert/modeling_modernbert.py",
  presets: {
    "modernbert-base": {
      repository: "answerdotai/ModernBERT-base",
      revision: "8949b909ec900327062f0ebf497f51aef5e6f0c8",
    },
  },

  readConfig: (json) => {
    const layers = configSize(json, ["num_hidden_layers"]);
    const hidden = configSize(json, ["hidden_size"]);
    const intermediate = configSize(json, ["intermediate_size"]);
    return {
      ...headConfig(json),
      modelType: "modernbert",
      vocabSize: configSize(json, ["vocab_size"]),
      hidden,
      layers,
      heldFloats: layers * (26 * hidden + 16 * intermediate),
      heads: configSize(json, ["num_attention_heads"]),
      intermediate,
      activation: configActivation(json, "hidden_activation"),
      maxTokens: configSize(json, ["max_position_embeddings"], 8192),
      layerNormEps: configNumber(json, ["norm_eps"], 1e-5),
      padId: configNumber(json, ["pad_token_id"], 50283),
      pooling: json["classifier_pooling"] === "mean" ? "mean" : "cls",
      isGlobal: globalLayers(json, layers),
      localTokens: configSize(json, ["local_attention"], 128),
      globalTheta: thetaOf(json, "full_attention", { key: "global_rope_theta", fallback: 160_000 }),
      localTheta: thetaOf(json, "sliding_attention", { key: "local_rope_theta", fallback: 10_000 }),
      attentionBias: json["attention_bias"] === true,
      feedForwardBias: json["mlp_bias"] === true,
      normBias: json["norm_bias"] === true,
      headBias: json["classifier_bias"] === true,
      headActivation: configActivation(json, "classifier_activation"),
    };
  },

  writeConfig: (config) => ({
    ...headEntries(config),
    architectures: ["ModernBertForSequenceClassification"],
    model_type: "modernbert",
    attention_bias: config.attentionBias,
    classifier_activation: config.headActivation,
    classifier_bias: config.headBias,
    classifier_pooling: config.pooling,
    global_rope_theta: config.globalTheta,
    hidden_activation: config.activation,
    hidden_size: config.hidden,
    intermediate_size: config.intermediate,
    layer_types: config.isGlobal.map((isGlobal) => (isGlobal ? "full_attention" : "sliding_attention")),
    local_attention: config.localTokens,
    local_rope_theta: config.localTheta,
    max_position_embeddings: config.maxTokens,
    mlp_bias: config.feedForwardBias,
    norm_bias: config.normBias,
    norm_eps: config.layerNormEps,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    pad_token_id: config.padId,
    rope_parameters: {
      full_attention: { rope_theta: config.globalTheta, rope_type: "default" },
      sliding_attention: { rope_theta: config.localTheta, rope_type: "default" },
    },
    vocab_size: config.vocabSize,
  }),

  parameters: (config) => {
    const { hidden, intermediate, layers, labels } = config;
    const norm = (name: string, layer?: number): ParameterSpec[] =>
      config.normBias ? normSpecs(name, hidden, layer) : weightsOnly(normSpecs(name, hidden, layer));
    return [
      tableSpec("model.embeddings.tok_embeddings.weight", [config.vocabSize, hidden]),
      ...norm("model.embeddings.norm", -1),
      ...Array.from({ length: layers }, (_, i) => {
        const at = `model.layers.${i}`;
        return [
          ...(i === 0 ? [] : norm(`${at}.attn_norm`, i)),
          ...linear(`${at}.attn.Wqkv`, [3 * hidden, hidden], { bias: config.attentionBias, layer: i }),
          ...linear(`${at}.attn.Wo`, [hidden, hidden], { bias: config.attentionBias, layer: i }),
          ...norm(`${at}.mlp_norm`, i),
          ...linear(`${at}.mlp.Wi`, [2 * intermediate, hidden], { bias: config.feedForwardBias, layer: i }),
          ...linear(`${at}.mlp.Wo`, [hidden, intermediate], { bias: config.feedForwardBias, layer: i }),
        ];
      }).flat(),
      ...norm("model.final_norm", layers - 1),
      ...linear("head.dense", [hidden, hidden], { bias: config.headBias }),
      ...norm("head.norm"),
      ...linearSpecs("classifier", [labels.length, hidden]),
    ];
  },

  forward: (b, config) => {
    const { hidden, layers, layerNormEps: eps } = config;
    const norm = { bias: config.normBias };
    const word = b.embedding("model.embeddings.tok_embeddings.weight", words, [config.vocabSize, hidden]); // (batch, tokens, hidden)
    let x = b.dropout(b.layerNorm(b.toRows(word), "model.embeddings.norm", eps, norm), "hidden"); // (rows, hidden)
    for (let i = 0; i < layers; i++) x = block(b, x, i, config); // (rows, hidden)
    const final = b.layerNorm(x, "model.final_norm", eps, norm); // (rows, hidden), batch rows for cls
    const pooled = config.pooling === "mean" ? b.weighTokens(final, b.feed(meanOfTokens)) : final; // (batch, hidden)
    const activation = config.headActivation;
    const dense = b.linear(pooled, "head.dense", hidden, { activation, bias: config.headBias }); // (batch, hidden)
    const head = b.dropout(b.layerNorm(dense, "head.norm", eps, norm), "head"); // (batch, hidden)
    return b.linear(head, "classifier", config.labels.length); // (batch, labels)
  },
});
