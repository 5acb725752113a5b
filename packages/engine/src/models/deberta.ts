/** DeBERTa v2 and v3 for sequence classification: attention to content and to relative positions apart. https://arxiv.org/abs/2006.03654 */
import { EngineError } from "../error.ts";
import type { Value } from "../graph/op.ts";
import { signedBucket } from "../nn/buckets.ts";
import type { Activation, EncoderBuilder, RelativeRows } from "../nn/builder.ts";
import { distances, firstType, fromFirst, positions, type Selection, tokenMask, words } from "../nn/feed.ts";
import { postNormBlock } from "../nn/layers.ts";
import {
  configActivation,
  configNumber,
  configSize,
  defineArchitecture,
  linearSpecs,
  normSpecs,
  type ParameterSpec,
  tableSpec,
} from "./architecture.ts";
import { type BertConfig, bertEntries, bertLayer, postNormSpecs, readBertConfig } from "./bert.ts";

interface DebertaConfig extends BertConfig {
  /** Width of the embedding tables; another one than `hidden` is projected. */
  readonly embedding: number;
  /** Absolute positions are added to the words. */
  readonly hasPositions: boolean;
  /** Relative positions as keys (meeting queries, "c2p") and as queries (meeting keys, "p2c"). */
  readonly relative: { readonly keys: boolean; readonly queries: boolean };
  /** Relative positions are projected by the weights of the words. */
  readonly sharesProjections: boolean;
  readonly normsRelative: boolean;
  /** Buckets of either direction; 0 for one row per distance. */
  readonly buckets: number;
  /** Distances from here on share a row. */
  readonly maxDistance: number;
  /** Width of the convolution beside the first layer in tokens, odd; 0 for none. */
  readonly kernel: number;
  readonly convActivation: Activation;
  readonly poolerActivation: Activation;
}

const relativeTable = "deberta.encoder.rel_embeddings.weight";
const convolution = "deberta.encoder.conv";
/** Rows of the relative table for either direction. */
const spanOf = ({ buckets, maxDistance }: DebertaConfig): number => (buckets > 0 ? buckets : maxDistance);

/** Names inside layer `i`; those of the attention differ from BERT's. */
function layerAt(i: number) {
  const at = `deberta.encoder.layer.${i}`;
  const self = `${at}.attention.self`;
  return {
    ...bertLayer(at),
    ...{ query: `${self}.query_proj`, key: `${self}.key_proj`, value: `${self}.value_proj` },
    ...{ relativeQuery: `${self}.pos_query_proj`, relativeKey: `${self}.pos_key_proj` },
  };
}

/** Which relative positions take part: `pos_att_type`, a list or a string such as "p2c|c2p". */
function readRelative(json: Readonly<Record<string, unknown>>): DebertaConfig["relative"] {
  if (json["relative_attention"] !== true) return { keys: false, queries: false };
  const value = json["pos_att_type"] ?? [];
  const kinds = (Array.isArray(value) ? value.map(String) : String(value).split("|")).map((kind) => kind.trim());
  const unknown = kinds.filter((kind) => kind !== "" && kind !== "c2p" && kind !== "p2c");
  if (unknown.length === 0) return { keys: kinds.includes("c2p"), queries: kinds.includes("p2c") };
  const details = { where: "pos_att_type", expected: ["c2p", "p2c"], got: unknown };
  throw new EngineError("CONFIG", "config.json: pos_att_type is not supported", details);
}

/** Throws EngineError CONFIG unless a key has the only value that is supported. */
function requireValue(json: Readonly<Record<string, unknown>>, name: string, expected: unknown): void {
  const got = json[name] ?? expected;
  if (got === expected) return;
  throw new EngineError("CONFIG", `config.json: ${name} is not supported`, { where: name, expected, got });
}

function readConfig(json: Readonly<Record<string, unknown>>): DebertaConfig {
  const config = readBertConfig(
    { ...json, type_vocab_size: json["type_vocab_size"] ?? 0, layer_norm_eps: json["layer_norm_eps"] ?? 1e-7 },
    { modelType: "deberta-v2", padId: 0 },
  );
  requireValue(json, "attention_head_size", config.hidden / config.heads);
  requireValue(json, "pooler_hidden_size", config.hidden);
  requireValue(json, "conv_groups", 1);
  const kernel = configNumber(json, ["conv_kernel_size"], 0);
  // An even width would leave one token too few.
  if (kernel > 0 && kernel % 2 === 0) requireValue(json, "conv_kernel_size", kernel + 1);
  const furthest = configNumber(json, ["max_relative_positions"], -1);
  return {
    ...config,
    embedding: configSize(json, ["embedding_size"], config.hidden),
    hasPositions: json["position_biased_input"] !== false,
    relative: readRelative(json),
    sharesProjections: json["share_att_key"] === true,
    normsRelative: String(json["norm_rel_ebd"] ?? "none").includes("layer_norm"),
    buckets: Math.max(0, configNumber(json, ["position_buckets"], -1)),
    maxDistance: furthest < 1 ? config.maxPositions : furthest,
    kernel: Math.max(0, kernel),
    convActivation: configActivation({ act: json["conv_act"] ?? "tanh" }, "act"),
    poolerActivation: configActivation(json, "pooler_hidden_act"),
  };
}

function writeConfig(config: DebertaConfig): Record<string, unknown> {
  const { relative } = config;
  return {
    architectures: ["DebertaV2ForSequenceClassification"],
    ...bertEntries(config),
    embedding_size: config.embedding,
    position_biased_input: config.hasPositions,
    relative_attention: relative.keys || relative.queries,
    pos_att_type: [...(relative.queries ? ["p2c"] : []), ...(relative.keys ? ["c2p"] : [])],
    share_att_key: config.sharesProjections,
    norm_rel_ebd: config.normsRelative ? "layer_norm" : "none",
    position_buckets: config.buckets > 0 ? config.buckets : -1,
    max_relative_positions: config.maxDistance,
    conv_kernel_size: config.kernel,
    conv_act: config.convActivation,
    pooler_dropout: 0,
    pooler_hidden_act: config.poolerActivation,
    pooler_hidden_size: config.hidden,
  };
}

function parameters(config: DebertaConfig): ParameterSpec[] {
  const { hidden, embedding, relative, kernel } = config;
  const e = "deberta.embeddings";
  const isRelative = relative.keys || relative.queries;
  const ownKeys = relative.keys && !config.sharesProjections;
  const ownQueries = relative.queries && !config.sharesProjections;
  return [
    tableSpec(`${e}.word_embeddings.weight`, [config.vocabSize, embedding]),
    ...(config.hasPositions ? [tableSpec(`${e}.position_embeddings.weight`, [config.maxPositions, embedding])] : []),
    ...(config.tokenTypes > 0 ? [tableSpec(`${e}.token_type_embeddings.weight`, [config.tokenTypes, embedding])] : []),
    ...(embedding === hidden ? [] : linearSpecs(`${e}.embed_proj`, [hidden, embedding], -1).slice(0, 1)),
    ...normSpecs(`${e}.LayerNorm`, hidden, -1),
    ...(isRelative ? [tableSpec(relativeTable, [2 * spanOf(config), hidden])] : []),
    ...(isRelative && config.normsRelative ? normSpecs("deberta.encoder.LayerNorm", hidden, -1) : []),
    ...(kernel > 0 ? convolutionSpecs(hidden, kernel) : []),
    ...Array.from({ length: config.layers }, (_, i) => [
      ...postNormSpecs(layerAt(i), i, config),
      ...(ownKeys ? linearSpecs(layerAt(i).relativeKey, [hidden, hidden], i) : []),
      ...(ownQueries ? linearSpecs(layerAt(i).relativeQuery, [hidden, hidden], i) : []),
    ]).flat(),
    ...linearSpecs("pooler.dense", [hidden, hidden]),
    ...linearSpecs("classifier", [config.labels.length, hidden]),
  ];
}

function convolutionSpecs(hidden: number, kernel: number): ParameterSpec[] {
  return [
    { name: `${convolution}.conv.weight`, shape: [hidden, hidden, kernel], fresh: "normal", layer: 0 },
    { name: `${convolution}.conv.bias`, shape: [hidden], fresh: "zeros", layer: 0 },
    ...normSpecs(`${convolution}.LayerNorm`, hidden, 0),
  ];
}

/** Words, positions and types, (rows, hidden). */
function embed(b: EncoderBuilder, config: DebertaConfig): Value {
  const { hidden, embedding } = config;
  const { g } = b;
  const e = "deberta.embeddings";
  let x = b.embedding(`${e}.word_embeddings.weight`, words, [config.vocabSize, embedding]); // (batch, tokens, embedding)
  const add = (name: string, selection: Selection, rows: number): void => {
    x = g.op("Add", [x, b.embedding(`${e}.${name}.weight`, selection, [rows, embedding])]); // (batch, tokens, embedding)
  };
  if (config.hasPositions) add("position_embeddings", positions(), config.maxPositions);
  if (config.tokenTypes > 0) add("token_type_embeddings", firstType, config.tokenTypes);
  let rows = b.toRows(x); // (rows, embedding)
  if (embedding !== hidden) rows = b.linear(rows, `${e}.embed_proj`, hidden, { bias: false }); // (rows, hidden)
  rows = b.layerNorm(rows, `${e}.LayerNorm`, config.layerNormEps); // (rows, hidden)
  // Only the convolution would look at padding.
  if (config.kernel > 0) rows = b.toRows(g.op("Mul", [b.toTokens(rows), b.feed(tokenMask)]));
  return b.dropout(rows, "hidden");
}

/** Makes a layer's projected relative positions; selections and norms are made once for all layers. */
function relativePositions(b: EncoderBuilder, config: DebertaConfig): (i: number, firstOnly: boolean) => RelativeRows {
  const { hidden, layerNormEps: eps } = config;
  const span = spanOf(config);
  /** Row of a distance query - key. */
  const rowOf = (distance: number): number =>
    Math.min(2 * span - 1, Math.max(0, signedBucket(distance, config) + span));
  const ahead = fromFirst("relative_first", (distance) => rowOf(-distance));
  const keysAt = distances("relative_keys", (distance) => rowOf(-distance));
  const queriesAt = distances("relative_queries", rowOf);
  const known = new Map<string, Value>();
  const rowsOf = (selection: Selection): Value => {
    let rows = known.get(selection.name) ?? b.deferred(relativeTable, selection, [2 * span, hidden]); // (selected, hidden)
    if (!known.has(selection.name) && config.normsRelative) rows = b.layerNorm(rows, "deberta.encoder.LayerNorm", eps);
    known.set(selection.name, rows);
    return rows;
  };
  const projected = (selection: Selection, name: string): Value =>
    b.selected(b.linear(b.dropout(rowsOf(selection), "hidden"), name, hidden), selection); // (selected, hidden)
  return (i, firstOnly) => {
    const names = layerAt(i);
    const [key, query] = config.sharesProjections ? [names.key, names.query] : [names.relativeKey, names.relativeQuery];
    return {
      keys: config.relative.keys ? projected(firstOnly ? ahead : keysAt, key) : undefined,
      queries: config.relative.queries ? projected(firstOnly ? ahead : queriesAt, query) : undefined,
    };
  };
}

/** norm(x + activation(convolution over the tokens of `embedded`)), (rows, hidden). */
function convolved(b: EncoderBuilder, x: Value, embedded: Value, config: DebertaConfig): Value {
  const { hidden, kernel } = config;
  const { g } = b;
  const weight = b.parameter(`${convolution}.conv.weight`, [hidden, hidden, kernel]);
  const turned = g.op("Transpose", [weight], { perm: [2, 0, 1] }); // (kernel, out, in)
  const stacked = g.op("Reshape", [turned], { shape: [kernel * hidden, hidden] });
  const products = b.toTokens(g.op("Gemm", [embedded, stacked], { transB: 1 })); // (batch, tokens, kernel x hidden)
  let sum = b.parameter(`${convolution}.conv.bias`, [hidden]);
  for (let at = 0; at < kernel; at++) {
    const own = g.op("Slice", [products], { from: at * hidden, to: (at + 1) * hidden }); // (batch, tokens, hidden)
    sum = g.op("Add", [g.op("ShiftTokens", [own], { by: at - (kernel - 1) / 2 }), sum]); // (batch, tokens, hidden)
  }
  const out = b.activate(b.dropout(b.toRows(sum), "hidden"), config.convActivation); // (rows, hidden)
  return b.layerNorm(g.op("Add", [x, out]), `${convolution}.LayerNorm`, config.layerNormEps);
}

export default defineArchitecture<DebertaConfig>({
  modelType: "deberta-v2",
  source:
    "https://github.com/huggingface/transformers/blob/main/src/transformers/models/deberta_v2/modeling_deberta_v2.py",
  presets: {
    "deberta-v3-base": {
      repository: "microsoft/deberta-v3-base",
      revision: "8ccc9b6f36199bec6961081d44eb72fb3f7353f3",
    },
    "deberta-v3-small": {
      repository: "microsoft/deberta-v3-small",
      revision: "a36c739020e01763fe789b4b85e2df55d6180012",
    },
  },
  readConfig,
  writeConfig,
  parameters,

  forward: (b, config) => {
    const { hidden, heads, layers, relative } = config;
    const terms = 1 + Number(relative.keys) + Number(relative.queries);
    const scale = 1 / Math.sqrt((hidden / heads) * terms);
    const embedded = embed(b, config); // (rows, hidden)
    const relativeOf = relativePositions(b, config);
    let x = embedded;
    for (let i = 0; i < layers; i++) {
      const isConvolved = i === 0 && config.kernel > 0;
      const firstOnly = i === layers - 1 && !isConvolved; // the pooler reads the first token only
      const options = { ...config, firstOnly, scale, relative: relativeOf(i, firstOnly), dropAttention: true };
      x = postNormBlock(b, x, layerAt(i), options); // (rows, hidden), batch rows when firstOnly
      if (isConvolved) x = convolved(b, x, embedded, config);
    }
    if (layers === 1 && config.kernel > 0) x = b.firstTokens(x); // (batch, hidden)
    const pooled = b.linear(x, "pooler.dense", hidden, { activation: config.poolerActivation }); // (batch, hidden)
    return b.linear(b.dropout(pooled, "head"), "classifier", config.labels.length); // (batch, labels)
  },
});
