/**
 * Scores of disentangled attention: queries meet relative positions, relative positions meet keys. Tables are read by
 * distance, 2 tokens rows, never by pair of tokens. Source: https://arxiv.org/abs/2006.03654; figures: decision 0043.
 */
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/op.ts";
import type { AttendOptions, RelativeRows } from "./builder.ts";
import { widthOf } from "./shapes.ts";

/**
 * What relative positions add to the scores: each (batch, heads, queries, tokens), to be given as biases.
 * @param rows q (rows or batch, width) and k (rows, width)
 * @example
 * const biases = relativeScores(g, { q, k }, { heads: 12, queries: "tokens", scale: 0.07, relative: { keys } });
 */
export function relativeScores(
  g: Graph,
  { q, k }: { readonly q: Value; readonly k: Value },
  { heads, queries, scale, relative }: AttendOptions & { readonly scale: number; readonly relative: RelativeRows },
): Value[] {
  if (queries === 1) return firstScores(g, { q, k }, { heads, scale, relative });
  const byDistance = (rows: Value, positions: Value): Value => {
    const product = g.op("MatMul", [headsFirst(g, rows, heads), headsFirst(g, positions, heads)], {
      transB: 1,
      alpha: scale,
    }); // (heads, rows, distances)
    const scores = g.op("Reshape", [product], { shape: [heads, "batch", "tokens", "distances"] });
    return g.op("RelativeShift", [scores]); // (heads, batch, tokens, tokens)
  };
  const out: Value[] = [];
  if (relative.keys) out.push(g.op("Transpose", [byDistance(q, relative.keys)], { perm: [1, 0, 2, 3] }));
  if (relative.queries) out.push(g.op("Transpose", [byDistance(k, relative.queries)], { perm: [1, 0, 3, 2] }));
  return out;
}

/** The same for the queries of the first tokens: (batch, heads, 1, tokens). */
function firstScores(
  g: Graph,
  { q, k }: { readonly q: Value; readonly k: Value },
  { heads, scale, relative }: { readonly heads: number; readonly scale: number; readonly relative: RelativeRows },
): Value[] {
  const out: Value[] = [];
  if (relative.keys) {
    const positions = headsFirst(g, relative.keys, heads); // (heads, tokens, dim)
    const product = g.op("MatMul", [headsFirst(g, q, heads), positions], { transB: 1, alpha: scale }); // (heads, batch, tokens)
    const turned = g.op("Transpose", [product], { perm: [1, 0, 2] }); // (batch, heads, tokens)
    out.push(g.op("Reshape", [turned], { shape: ["batch", heads, 1, "tokens"] }));
  }
  if (relative.queries) {
    const keys = g.op("Reshape", [k], { shape: ["batch", "tokens", widthOf(k)] });
    const products = g.op("Mul", [keys, g.op("Scale", [relative.queries], { factor: scale })]); // (batch, tokens, width)
    const parts = g.op("Reshape", [products], { shape: ["batch", "tokens", heads, widthOf(k) / heads] });
    const sums = g.op("ReduceSum", [parts], { axes: [3] }); // (batch, tokens, heads, 1)
    out.push(g.op("Transpose", [sums], { perm: [0, 2, 3, 1] })); // (batch, heads, 1, tokens)
  }
  return out;
}

/** Rows (n, width) as (heads, n, width / heads). */
function headsFirst(g: Graph, rows: Value, heads: number): Value {
  const n = rows.shape[0] ?? 1;
  const parts = g.op("Reshape", [rows], { shape: [n, heads, widthOf(rows) / heads] });
  return g.op("Transpose", [parts], { perm: [1, 0, 2] });
}
