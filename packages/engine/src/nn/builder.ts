/**
 * What a forward pass may call. An architecture is written once against this interface; training and serving each
 * have a builder of their own: differentiable with weights from outside, or fused with weights inside.
 */
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/op.ts";
import type { Feed, Selection } from "./feed.ts";

/** Dropout rates; a rate of 0 adds no node. */
export interface DropoutRates {
  /** On embeddings and on what every block adds to its residual. */
  readonly hidden: number;
  /** On attention probabilities. */
  readonly attention: number;
  /** In front of the classifier. */
  readonly head: number;
}

/** Activations by their Hugging Face names, aliases merged (`activationOf`). */
export type Activation = "gelu" | "gelu_new" | "relu" | "tanh";

/** How a linear layer is stored and what follows it. */
export interface LinearOptions {
  readonly activation?: Activation;
  /** Default true. */
  readonly bias?: boolean;
  /** Weight stored (in, out) instead of (out, in): GPT-2. */
  readonly inputFirst?: boolean;
}

/** How a normalisation works. */
export interface NormOptions {
  /** Default true. */
  readonly bias?: boolean;
  /** Without subtracting the mean (RMS norm); has no bias. */
  readonly rms?: boolean;
}

/** Relative positions projected to (distances, width), or to (tokens, width) where only the first tokens attend. */
export interface RelativeRows {
  /** By distance key - query, as keys: they meet the queries. */
  readonly keys?: Value | undefined;
  /** By distance query - key, as queries: they meet the keys. For first tokens by distance key - query. */
  readonly queries?: Value | undefined;
}

/** How heads attend. */
export interface AttendOptions {
  readonly heads: number;
  /** 1 when the queries are those of the first tokens only (batch rows), else "tokens". */
  readonly queries: 1 | "tokens";
  /** Factor on the products; 1/√(head width) by default. */
  readonly scale?: number;
  /** Added to the scores, each broadcastable to (batch, heads, queries, tokens), besides the mask of the padding. */
  readonly biases?: readonly Value[];
  /** Relative positions that queries and keys meet, scaled as the products are. */
  readonly relative?: RelativeRows;
}

/** Layers of an encoder. Token rows are (rows = batch x tokens, width), so every linear layer is one matrix product. */
export interface EncoderBuilder {
  readonly g: Graph;
  /** A parameter under its Hugging Face name. */
  parameter(name: string, shape: readonly number[]): Value;
  /** Rows of an embedding table (table rows, width): (…selection, width). */
  embedding(table: string, selection: Selection, size: readonly [rows: number, width: number]): Value;
  /**
   * Rows of a table on which only weights act before `selected` chooses among them: serving computes them once, for the
   * whole table; training has the selection from the start.
   */
  deferred(table: string, selection: Selection, size: readonly [rows: number, width: number]): Value;
  /** The selection of what was made of `deferred` rows: (…selection, width). */
  selected(x: Value, selection: Selection): Value;
  /** A value computed from the batch outside the graph. */
  feed(feed: Feed): Value;
  /** x (rows, in) to (rows, width) by `name.weight` and `name.bias`. */
  linear(x: Value, name: string, width: number, options?: LinearOptions): Value;
  /** Several linear layers of one width on the same rows. */
  linears(x: Value, names: readonly string[], width: number, options?: LinearOptions): Value[];
  layerNorm(x: Value, name: string, epsilon: number, options?: NormOptions): Value;
  activate(x: Value, activation: Activation): Value;
  dropout(x: Value, kind: keyof DropoutRates): Value;
  /** Scaled dot-product attention of rows over rows: q (rows or batch, width), k and v (rows, width) to q's rows. */
  attend(q: Value, k: Value, v: Value, options: AttendOptions): Value;
  /** Rows (rows or batch, width) as heads (batch, heads, tokens or 1, width / heads). */
  split(rows: Value, heads: number, tokens: 1 | "tokens"): Value;
  /** (batch, tokens, width) as rows. */
  toRows(x: Value): Value;
  /** Rows as (batch, tokens, width). */
  toTokens(rows: Value): Value;
  /** Rows of the first tokens: (rows, width) to (batch, width). */
  firstTokens(rows: Value): Value;
  /** Rows summed by weights (batch, 1, tokens), such as `lastToken`: (batch, width). */
  weighTokens(rows: Value, weights: Value): Value;
}
