/** Batched matrix product: attention scores and contexts. Runs as ONNX Runtime's FusedMatMul. */
import { defineOp } from "../graph/op.ts";
import { numberOf, sameDim, shapeAt } from "../graph/shape.ts";

/** y = alpha A' B' over equal leading dimensions, where ' swaps the last two when transA or transB is 1. */
export const MatMul = defineOp({
  shape: (shapes, attributes) => {
    const a = shapeAt("MatMul", shapes, 0);
    const b = shapeAt("MatMul", shapes, 1);
    const [m, k] = order(a.slice(-2), numberOf(attributes, "transA"));
    const [k2, n] = order(b.slice(-2), numberOf(attributes, "transB"));
    sameDim("MatMul", k, k2);
    for (const [i, dim] of a.slice(0, -2).entries()) sameDim("MatMul", dim, b[i]);
    return [[...a.slice(0, -2), m ?? 1, n ?? 1]];
  },
  onnx: (g, inputs, { attributes }) =>
    g.node("FusedMatMul", inputs, {
      domain: "com.microsoft",
      attributes: {
        transA: numberOf(attributes, "transA"),
        transB: numberOf(attributes, "transB"),
        alpha: { float: numberOf(attributes, "alpha", 1) },
      },
    }),
  grad: (g, dy, { inputs: [a, b], attributes, wants }) => {
    const transA = numberOf(attributes, "transA");
    const transB = numberOf(attributes, "transB");
    const alpha = numberOf(attributes, "alpha", 1);
    if (a === undefined || b === undefined) return [];
    const da = () =>
      transA
        ? g.op("MatMul", [b, dy], { alpha, transA: transB, transB: 1 })
        : g.op("MatMul", [dy, b], { alpha, transB: 1 - transB });
    const db = () =>
      transB
        ? g.op("MatMul", [dy, a], { alpha, transA: 1, transB: transA })
        : g.op("MatMul", [a, dy], { alpha, transA: 1 - transA });
    return [wants[0] ? da() : undefined, wants[1] ? db() : undefined];
  },
  cases: [
    {
      inputs: [
        { dims: [2, 1, 2], data: [1, 2, 3, 4] },
        { dims: [2, 2, 2], data: [1, 2, 3, 4, 5, 6, 7, 8] },
      ],
      expected: [7, 10, 43, 50],
    },
    {
      inputs: [
        { dims: [1, 2, 2], data: [1, 2, 3, 4] },
        { dims: [1, 1, 2], data: [5, 6] },
      ],
      attributes: { transB: 1, alpha: 2 },
      expected: [34, 78],
    },
    {
      inputs: [
        { dims: [1, 2, 1], data: [1, 2] },
        { dims: [1, 2, 2], data: [1, 2, 3, 4] },
      ],
      attributes: { transA: 1 },
      expected: [7, 10],
    },
  ],
});

const order = <T>([a, b]: readonly T[], transposed: number): readonly (T | undefined)[] =>
  transposed ? [b, a] : [a, b];
