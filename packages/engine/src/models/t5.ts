/** T5 for sequence classification: an encoder, and a decoder that reads the text again. https://arxiv.org/abs/1910.10683 */
import { EngineError } from "../error.ts";
import type { Value } from "../graph/op.ts";
import { distanceBucket } from "../nn/buckets.ts";
import type { AttendOptions, EncoderBuilder } from "../nn/builder.ts";
import { causalBias, lastToken, pairs, shiftedWords, words } from "../nn/feed.ts";
import { widthOf } from "../nn/shapes.ts";
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

/** What T5 has besides; `layers` are those of the encoder. */
interface T5Config extends EncoderConfig {
  readonly headWidth: number;
  readonly decoderLayers: number;
  /** The feed-forward layer multiplies its activation by a second linear layer. */
  readonly isGated: boolean;
  readonly buckets: number;
  readonly maxDistance: number;
  /** What the decoder reads in front of the text. */
  readonly startId: number;
  /** The token at whose last place the head reads: it ends every text. */
  readonly endId: number;
}

const table = "transformer.shared.weight";
const relativeTable = (side: Side): string =>
  `transformer.${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
const rms = { rms: true } as const;
const plain = { bias: false } as const;

type Side = "encoder" | "decoder";

/** Bias on the scores by distance, one for all layers of a side: (1, heads, tokens, tokens). */
function distanceBias(b: EncoderBuilder, side: Side, config: T5Config): Value {
  const { heads, buckets, maxDistance } = config;
  const isTwoSided = side === "encoder";
  const selection = pairs(`${side}_buckets`, (distance) =>
    distanceBucket(distance, { buckets, maxDistance, isTwoSided }),
  );
  const rows = b.embedding(relativeTable(side), selection, [buckets, heads]); // (tokens, tokens, heads)
  const turned = b.g.op("Transpose", [rows], { perm: [2, 0, 1] }); // (heads, tokens, tokens)
  return b.g.op("Reshape", [turned], { shape: [1, heads, "tokens", "tokens"] });
}

/** x + attention(norm(x)) over `memory`, or over the normalised rows themselves; scores are not scaled. */
function attended(
  b: EncoderBuilder,
  x: Value,
  at: string,
  options: AttendOptions & { readonly kind: string; readonly memory?: Value; readonly config: T5Config },
): Value {
  const { kind, memory, config } = options;
  const inner = config.heads * config.headWidth;
  const names = (["q", "k", "v"] as const).map((name) => `${at}.${kind}.${name}`);
  const normed = b.layerNorm(x, `${at}.layer_norm`, config.layerNormEps, rms); // (rows, hidden)
  const [q = x, k = x, v = x] = memory
    ? [...b.linears(normed, names.slice(0, 1), inner, plain), ...b.linears(memory, names.slice(1), inner, plain)]
    : b.linears(normed, names, inner, plain); // (rows, inner)
  const context = b.attend(q, k, v, { ...options, scale: 1 }); // (rows, inner)
  const out = b.linear(context, `${at}.${kind}.o`, widthOf(x), plain); // (rows, hidden)
  return b.g.op("Add", [b.dropout(out, "hidden"), x]);
}

/** x + feedForward(norm(x)). */
function fed(b: EncoderBuilder, x: Value, at: string, config: T5Config): Value {
  const { intermediate, activation, isGated } = config;
  const normed = b.layerNorm(x, `${at}.layer_norm`, config.layerNormEps, rms); // (rows, hidden)
  const name = `${at}.DenseReluDense`;
  let inner: Value; // (rows, intermediate)
  if (isGated) {
    const [main = x, gate = x] = b.linears(normed, [`${name}.wi_0`, `${name}.wi_1`], intermediate, plain);
    inner = b.g.op("Mul", [b.activate(main, activation), gate]);
  } else {
    inner = b.linear(normed, `${name}.wi`, intermediate, { activation, ...plain });
  }
  const out = b.linear(b.dropout(inner, "hidden"), `${name}.wo`, widthOf(x), plain); // (rows, hidden)
  return b.g.op("Add", [b.dropout(out, "hidden"), x]);
}

/** The encoder's rows, (rows, hidden). */
function encode(b: EncoderBuilder, config: T5Config): Value {
  const word = b.embedding(table, words, [config.vocabSize, config.hidden]); // (batch, tokens, hidden)
  const biases = [distanceBias(b, "encoder", config)];
  let x = b.dropout(b.toRows(word), "hidden"); // (rows, hidden)
  for (let i = 0; i < config.layers; i++) {
    const at = `transformer.encoder.block.${i}.layer`;
    const options = { kind: "SelfAttention", heads: config.heads, queries: "tokens", biases, config } as const;
    x = attended(b, x, `${at}.0`, options); // (rows, hidden)
    x = fed(b, x, `${at}.1`, config); // (rows, hidden)
  }
  return b.dropout(b.layerNorm(x, "transformer.encoder.final_layer_norm", config.layerNormEps, rms), "hidden");
}

/** The decoder's row at the last token of every text, (batch, hidden). */
function decode(b: EncoderBuilder, memory: Value, config: T5Config): Value {
  const { heads } = config;
  const word = b.embedding(table, shiftedWords(config.startId), [config.vocabSize, config.hidden]); // (batch, tokens, hidden)
  const biases = [distanceBias(b, "decoder", config), b.feed(causalBias)];
  let x = b.dropout(b.toRows(word), "hidden"); // (rows, hidden)
  for (let i = 0; i < config.decoderLayers; i++) {
    const at = `transformer.decoder.block.${i}.layer`;
    x = attended(b, x, `${at}.0`, { kind: "SelfAttention", heads, queries: "tokens", biases, config }); // (rows, hidden)
    const isLast = i === config.decoderLayers - 1; // the head reads the last token only
    if (isLast) x = b.weighTokens(x, b.feed(lastToken)); // (batch, hidden)
    const queries = isLast ? 1 : "tokens";
    x = attended(b, x, `${at}.1`, { kind: "EncDecAttention", heads, queries, memory, config });
    x = fed(b, x, `${at}.2`, config);
  }
  return b.dropout(b.layerNorm(x, "transformer.decoder.final_layer_norm", config.layerNormEps, rms), "hidden");
}

const linear = (name: string, size: readonly [number, number], layer: number): ParameterSpec[] =>
  weightsOnly(linearSpecs(name, size, layer));
const norm = (name: string, width: number, layer: number): ParameterSpec[] =>
  weightsOnly(normSpecs(name, width, layer));

/** Weights of block `i` of one side; `layer` counts both sides. */
function blockSpecs(side: Side, i: number, config: T5Config): ParameterSpec[] {
  const { hidden, heads, intermediate, headWidth } = config;
  const inner = heads * headWidth;
  const layer = side === "encoder" ? i : config.layers + i;
  const at = `transformer.${side}.block.${i}.layer`;
  const attention = (name: string): ParameterSpec[] => [
    ...["q", "k", "v"].flatMap((part) => linear(`${name}.${part}`, [inner, hidden], layer)),
    ...linear(`${name}.o`, [hidden, inner], layer),
  ];
  const last = side === "encoder" ? 1 : 2;
  const dense = `${at}.${last}.DenseReluDense`;
  return [
    ...attention(`${at}.0.SelfAttention`),
    ...(i === 0 ? [tableSpec(relativeTable(side), [config.buckets, heads], layer)] : []),
    ...norm(`${at}.0.layer_norm`, hidden, layer),
    ...(side === "decoder"
      ? [...attention(`${at}.1.EncDecAttention`), ...norm(`${at}.1.layer_norm`, hidden, layer)]
      : []),
    ...(config.isGated ? ["wi_0", "wi_1"] : ["wi"]).flatMap((name) =>
      linear(`${dense}.${name}`, [intermediate, hidden], layer),
    ),
    ...linear(`${dense}.wo`, [hidden, intermediate], layer),
    ...norm(`${at}.${last}.layer_norm`, hidden, layer),
  ];
}

/** `feed_forward_proj`: an activation, with "gated-" in front of it when it is multiplied. */
function feedForwardKind(json: Readonly<Record<string, unknown>>): Pick<T5Config, "activation" | "isGated"> {
  const kind = String(json["feed_forward_proj"] ?? "relu");
  const isGated = kind.startsWith("gated-");
  const name = isGated ? kind.slice("gated-".length) : kind;
  // T5 1.1 wrote gated-gelu and meant the tanh form.
  return { isGated, activation: configActivation({ name: isGated && name === "gelu" ? "gelu_new" : name }, "name") };
}

export default defineArchitecture<T5Config>({
  modelType: "t5",
  source: "https://github.com/huggingface/transformers/blob/main/src/transformers/models/t5/modeling_t5.py",
  presets: {
    "t5-small": { repository: "google-t5/t5-small", revision: "df1b051c49625cf57a3d0d8d3863ed4d13564fe4" },
  },

  readConfig: (json) => {
    const layers = configSize(json, ["num_layers", "num_hidden_layers"]);
    const padId = configNumber(json, ["pad_token_id"], 0);
    if (json["is_encoder_decoder"] === false) {
      throw new EngineError("CONFIG", "the head needs the decoder", { where: "is_encoder_decoder", got: false });
    }
    const hidden = configSize(json, ["d_model", "hidden_size"]);
    const intermediate = configSize(json, ["d_ff", "intermediate_size"]);
    const kind = feedForwardKind(json);
    const decoderLayers = configSize(json, ["num_decoder_layers"], layers);
    const inner = (kind.isGated ? 14 : 7) * intermediate;
    return {
      ...headConfig(json),
      ...kind,
      modelType: "t5",
      vocabSize: configSize(json, ["vocab_size"]),
      hidden,
      layers,
      decoderLayers,
      attentions: layers + 2 * decoderLayers,
      heldFloats: layers * (16 * hidden + inner) + decoderLayers * (24 * hidden + inner),
      heads: configSize(json, ["num_heads", "num_attention_heads"]),
      headWidth: configSize(json, ["d_kv", "head_dim"], 64),
      intermediate,
      maxTokens: configSize(json, ["n_positions", "max_position_embeddings"], 512), // what it was trained on; there is no table
      layerNormEps: configNumber(json, ["layer_norm_epsilon"], 1e-6),
      padId,
      buckets: configSize(json, ["relative_attention_num_buckets"], 32),
      maxDistance: configSize(json, ["relative_attention_max_distance"], 128),
      startId: configNumber(json, ["decoder_start_token_id"], padId),
      endId: configNumber(json, ["eos_token_id"], 1),
    };
  },

  writeConfig: (config) => ({
    ...headEntries(config),
    architectures: ["T5ForSequenceClassification"],
    model_type: "t5",
    d_ff: config.intermediate,
    d_kv: config.headWidth,
    d_model: config.hidden,
    decoder_start_token_id: config.startId,
    dropout_rate: 0.1,
    eos_token_id: config.endId,
    feed_forward_proj: config.isGated
      ? `gated-${config.activation === "gelu_new" ? "gelu" : config.activation}`
      : config.activation,
    is_encoder_decoder: true,
    layer_norm_epsilon: config.layerNormEps,
    n_positions: config.maxTokens,
    num_decoder_layers: config.decoderLayers,
    num_heads: config.heads,
    num_layers: config.layers,
    pad_token_id: config.padId,
    relative_attention_max_distance: config.maxDistance,
    relative_attention_num_buckets: config.buckets,
    vocab_size: config.vocabSize,
  }),

  parameters: (config) => {
    const { hidden, layers, decoderLayers, labels } = config;
    return [
      tableSpec(table, [config.vocabSize, hidden]),
      ...Array.from({ length: layers }, (_, i) => blockSpecs("encoder", i, config)).flat(),
      ...norm("transformer.encoder.final_layer_norm", hidden, layers - 1),
      ...Array.from({ length: decoderLayers }, (_, i) => blockSpecs("decoder", i, config)).flat(),
      ...norm("transformer.decoder.final_layer_norm", hidden, layers + decoderLayers - 1),
      ...linearSpecs("classification_head.dense", [hidden, hidden]),
      ...linearSpecs("classification_head.out_proj", [labels.length, hidden]),
    ];
  },

  forward: (b, config) => {
    const last = decode(b, encode(b, config), config); // (batch, hidden)
    const head = "classification_head";
    const dense = b.linear(b.dropout(last, "head"), `${head}.dense`, config.hidden, { activation: "tanh" }); // (batch, hidden)
    return b.linear(b.dropout(dense, "head"), `${head}.out_proj`, config.labels.length); // (batch, labels)
  },
});
