/** Blocks that several architectures share. */
import type { Value } from "../graph/op.ts";
import type { Activation, AttendOptions, EncoderBuilder } from "./builder.ts";
import { widthOf } from "./shapes.ts";

/** Sizes and names of one attention block; names without `.weight`. */
export interface AttentionOptions extends Pick<AttendOptions, "biases" | "scale" | "relative"> {
  readonly heads: number;
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
  /** Queries of the first token only: all that a classifier needs of the last layer. */
  readonly firstOnly: boolean;
}

/** Multi-head self-attention with output projection: rows in, rows out (batch rows when `firstOnly`). */
export function attention(b: EncoderBuilder, x: Value, options: AttentionOptions): Value {
  const { firstOnly } = options;
  const width = widthOf(x);
  const names = [options.query, options.key, options.value];
  const [q, k, v] = firstOnly
    ? [b.linear(b.firstTokens(x), options.query, width), ...b.linears(x, names.slice(1), width)]
    : b.linears(x, names, width);
  if (q === undefined || k === undefined || v === undefined) return x;
  const context = b.attend(q, k, v, { ...options, queries: firstOnly ? 1 : "tokens" }); // (rows, width)
  return b.linear(context, options.output, width); // (rows, width)
}

/** Names of one post-norm block. */
export interface PostNormNames extends Pick<AttentionOptions, "query" | "key" | "value" | "output"> {
  readonly attentionNorm: string;
  readonly expand: string;
  readonly contract: string;
  readonly outputNorm: string;
}

/** Sizes of one post-norm block. */
export interface PostNormOptions extends Pick<AttendOptions, "biases" | "scale" | "relative"> {
  readonly heads: number;
  readonly intermediate: number;
  readonly layerNormEps: number;
  readonly activation: Activation;
  readonly firstOnly: boolean;
  /** Dropout on what attention adds; DistilBERT has none. */
  readonly dropAttention: boolean;
}

/** The original Transformer's block: x = norm(x + attention(x)); x = norm(x + feedForward(x)). */
export function postNormBlock(b: EncoderBuilder, x: Value, names: PostNormNames, options: PostNormOptions): Value {
  const { layerNormEps: eps, firstOnly, intermediate, activation } = options;
  const context = attention(b, x, { ...options, ...names }); // (rows, hidden), batch rows when firstOnly
  const attended = options.dropAttention ? b.dropout(context, "hidden") : context;
  const kept = firstOnly ? b.firstTokens(x) : x;
  const middle = b.layerNorm(b.g.op("Add", [attended, kept]), names.attentionNorm, eps);
  return feedForward(b, middle, names, { intermediate, activation, layerNormEps: eps });
}

/** x = norm(x + contract(activation(expand(x)))). */
export function feedForward(
  b: EncoderBuilder,
  x: Value,
  names: Pick<PostNormNames, "expand" | "contract" | "outputNorm">,
  options: Pick<PostNormOptions, "intermediate" | "activation" | "layerNormEps">,
): Value {
  const inner = b.linear(x, names.expand, options.intermediate, { activation: options.activation }); // (rows, intermediate)
  const outer = b.dropout(b.linear(inner, names.contract, widthOf(x)), "hidden"); // (rows, hidden)
  return b.layerNorm(b.g.op("Add", [outer, x]), names.outputNorm, options.layerNormEps);
}
