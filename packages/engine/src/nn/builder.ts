/** Layers on a graph. Parameters become graph inputs under their Hugging Face names, so one session trains and evaluates. */
import { EngineError } from "../error.ts";
import type { Graph } from "../graph/graph.ts";
import type { Shape, Value } from "../graph/op.ts";

/** Dropout rates; a rate of 0 adds no node. */
export interface DropoutRates {
  /** On embeddings and on what every block adds to its residual. */
  readonly hidden: number;
  /** On attention probabilities. */
  readonly attention: number;
  /** In front of the classifier. */
  readonly head: number;
}

/** One place where dropout multiplies by a mask, given at every run: 0 or 1/(1 - rate). */
export interface DropoutSite {
  readonly input: string;
  readonly shape: Shape;
  readonly rate: number;
}

/** Sizes of one attention block. */
interface AttentionOptions {
  readonly heads: number;
  /** Hugging Face names of the four projections, without `.weight`. */
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
  /** Queries of the first token only: all that a classifier needs of the last layer. */
  readonly firstOnly: boolean;
}

/** Layers of an encoder. Token rows are (rows = batch x tokens, width), so every linear layer is one matrix product. */
export interface EncoderBuilder {
  readonly g: Graph;
  /** A parameter as a graph input. */
  parameter(name: string, shape: readonly number[]): Value;
  /** Rows of an embedding table, gathered by the caller: words (batch, tokens, width), positions (tokens, width), types (1, width). */
  embedding(name: string, table: "words" | "positions" | "types", width: number): Value;
  linear(x: Value, name: string, outWidth: number): Value;
  layerNorm(x: Value, name: string, epsilon: number): Value;
  dropout(x: Value, kind: keyof DropoutRates): Value;
  /** Multi-head self-attention with output projection; rows in, rows out (batch rows when `firstOnly`). */
  attention(x: Value, options: AttentionOptions): Value;
  /** (batch, tokens, width) as rows. */
  toRows(x: Value): Value;
  /** Rows of the first tokens: (rows, width) -> (batch, width). */
  firstTokens(rows: Value): Value;
  readonly dropoutSites: readonly DropoutSite[];
  readonly parameters: ReadonlyMap<string, Value>;
  readonly tables: ReadonlyMap<string, Value>;
}

/**
 * Creates a builder whose graph has the inputs `attention_bias` (batch, 1, 1, tokens; 0 or a large negative number),
 * the gathered embedding rows, the parameters, and one mask per dropout site.
 */
export function createEncoderBuilder(g: Graph, rates: DropoutRates): EncoderBuilder {
  const parameters = new Map<string, Value>();
  const tables = new Map<string, Value>();
  const dropoutSites: DropoutSite[] = [];
  let bias: Value | undefined;
  const attentionBias = (): Value => {
    bias ??= g.input("attention_bias", "float32", ["batch", 1, 1, "tokens"]);
    return bias;
  };
  const builder: EncoderBuilder = {
    g,
    parameters,
    tables,
    dropoutSites,
    parameter: (name, shape) => declare(parameters, name, () => g.input(name, "float32", shape)),
    embedding: (name, table, width) => {
      const shapes = { words: ["batch", "tokens", width], positions: ["tokens", width], types: [1, width] } as const;
      return declare(tables, name, () => g.input(name, "float32", shapes[table]));
    },
    linear: (x, name, outWidth) => {
      const weight = builder.parameter(`${name}.weight`, [outWidth, widthOf(x)]);
      const offset = builder.parameter(`${name}.bias`, [outWidth]);
      return g.op("Gemm", [x, weight, offset], { transB: 1 });
    },
    layerNorm: (x, name, epsilon) => {
      const weight = builder.parameter(`${name}.weight`, [widthOf(x)]);
      const offset = builder.parameter(`${name}.bias`, [widthOf(x)]);
      return g.op("LayerNorm", [x, weight, offset], { epsilon });
    },
    dropout: (x, kind) => {
      if (rates[kind] === 0) return x;
      const input = `dropout.${dropoutSites.length}`;
      dropoutSites.push({ input, shape: x.shape, rate: rates[kind] });
      return g.op("Mul", [x, g.input(input, "float32", x.shape)]);
    },
    attention: (x, options) => attention(builder, x, { ...options, bias: attentionBias() }),
    toRows: (x) => g.op("Reshape", [x], { shape: ["rows", widthOf(x)] }),
    firstTokens: (rows) => {
      return g.op("TakeFirst", [g.op("Reshape", [rows], { shape: ["batch", "tokens", widthOf(rows)] })]);
    },
  };
  return builder;
}

/** Scaled dot-product attention, https://arxiv.org/abs/1706.03762 */
function attention(b: EncoderBuilder, x: Value, options: AttentionOptions & { readonly bias: Value }): Value {
  const { g } = b;
  const { heads, firstOnly } = options;
  const width = widthOf(x);
  const dim = width / heads;
  const split = (rows: Value, tokens: string | number): Value => {
    const parts = g.op("Reshape", [rows], { shape: ["batch", tokens, heads, dim] }); // (batch, tokens, heads, dim)
    return g.op("Transpose", [parts], { perm: [0, 2, 1, 3] }); // (batch, heads, tokens, dim)
  };
  const asking = firstOnly ? b.firstTokens(x) : x;
  const queries = firstOnly ? 1 : "tokens";
  const q = split(b.linear(asking, options.query, width), queries); // (batch, heads, queries, dim)
  const k = split(b.linear(x, options.key, width), "tokens"); // (batch, heads, tokens, dim)
  const v = split(b.linear(x, options.value, width), "tokens"); // (batch, heads, tokens, dim)
  const scores = g.op("MatMul", [q, k], { transB: 1, alpha: 1 / Math.sqrt(dim) }); // (batch, heads, queries, tokens)
  const probabilities = g.op("Softmax", [g.op("Add", [scores, options.bias])]); // (batch, heads, queries, tokens)
  const context = g.op("MatMul", [b.dropout(probabilities, "attention"), v]); // (batch, heads, queries, dim)
  const joined = g.op("Transpose", [context], { perm: [0, 2, 1, 3] }); // (batch, queries, heads, dim)
  const rows = g.op("Reshape", [joined], { shape: [firstOnly ? "batch" : "rows", width] }); // (rows, width)
  return b.linear(rows, options.output, width); // (rows, width)
}

/** Width of the last dimension; the layers here need it as a number. */
function widthOf(x: Value): number {
  const width = x.shape.at(-1);
  if (typeof width === "number") return width;
  throw new EngineError("SHAPE", `${x.name}: the last dimension must be a number`, { expected: "number", got: width });
}

function declare(known: Map<string, Value>, name: string, make: () => Value): Value {
  const value = known.get(name) ?? make();
  known.set(name, value);
  return value;
}
