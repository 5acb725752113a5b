/** Reshapes that every builder shares. */
import { EngineError } from "../error.ts";
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/op.ts";
import type { EncoderBuilder } from "./builder.ts";

/**
 * Width of the last dimension; the layers here need it as a number.
 * @throws EngineError SHAPE when it is a symbol.
 */
export function widthOf(x: Value): number {
  const width = x.shape.at(-1);
  if (typeof width === "number") return width;
  throw new EngineError("SHAPE", `${x.name}: the last dimension must be a number`, { expected: "number", got: width });
}

/** The parts of a builder that only move numbers. */
export type Rearrangements = Pick<EncoderBuilder, "split" | "toRows" | "toTokens" | "firstTokens" | "weighTokens">;

/** Makes them over a graph. */
export function rearrangements(g: Graph): Rearrangements {
  const toTokens = (rows: Value): Value => g.op("Reshape", [rows], { shape: ["batch", "tokens", widthOf(rows)] });
  return {
    toTokens,
    toRows: (x) => g.op("Reshape", [x], { shape: ["rows", widthOf(x)] }),
    split: (rows, heads, tokens) => {
      const parts = g.op("Reshape", [rows], { shape: ["batch", tokens, heads, widthOf(rows) / heads] });
      return g.op("Transpose", [parts], { perm: [0, 2, 1, 3] }); // (batch, heads, tokens, dim)
    },
    firstTokens: (rows) => g.op("TakeFirst", [toTokens(rows)]),
    weighTokens: (rows, weights) => {
      const sums = g.op("MatMul", [weights, toTokens(rows)]); // (batch, 1, width)
      return g.op("Reshape", [sums], { shape: ["batch", widthOf(rows)] });
    },
  };
}
