/** Product of two matrices: every linear layer, on rows of tokens. */
import { defineOp } from "../graph/op.ts";
import { numberOf, sameDim, shapeAt } from "../graph/shape.ts";

/**
 * y = alpha A' B' (+ bias), where ' transposes when transA or transB is 1; A' is (m, k), B' is (k, n), bias (n).
 * A linear layer is Gemm(x, weight, bias) with transB, its weight stored (out, in) as PyTorch stores it.
 */
export const Gemm = defineOp({
  shape: (shapes, attributes) => {
    const [m, k] = order(shapeAt("Gemm", shapes, 0), numberOf(attributes, "transA"));
    const [k2, n] = order(shapeAt("Gemm", shapes, 1), numberOf(attributes, "transB"));
    sameDim("Gemm", k, k2);
    if (shapes.length > 2) sameDim("Gemm", n, shapeAt("Gemm", shapes, 2)[0]);
    return [[m ?? 1, n ?? 1]];
  },
  onnx: (g, inputs, { attributes }) =>
    g.node("Gemm", inputs, {
      attributes: {
        transA: numberOf(attributes, "transA"),
        transB: numberOf(attributes, "transB"),
        alpha: { float: numberOf(attributes, "alpha", 1) },
      },
    }),
  grad: (g, dy, { inputs: [a, b, bias], attributes, wants }) => {
    const transA = numberOf(attributes, "transA");
    const transB = numberOf(attributes, "transB");
    const alpha = numberOf(attributes, "alpha", 1);
    if (a === undefined || b === undefined) return [];
    const da = () =>
      transA
        ? g.op("Gemm", [b, dy], { alpha, transA: transB, transB: 1 })
        : g.op("Gemm", [dy, b], { alpha, transB: 1 - transB });
    const db = () =>
      transB
        ? g.op("Gemm", [dy, a], { alpha, transA: 1, transB: transA })
        : g.op("Gemm", [a, dy], { alpha, transA: 1 - transA });
    return [
      wants[0] ? da() : undefined,
      wants[1] ? db() : undefined,
      bias && wants[2] ? g.sumTo(dy, bias.shape) : undefined,
    ];
  },
  cases: [
    {
      inputs: [
        { dims: [1, 2], data: [1, 2] },
        { dims: [3, 2], data: [1, 2, 3, 4, 5, 6] },
        { dims: [3], data: [1, 1, 1] },
      ],
      attributes: { transB: 1 },
      expected: [6, 12, 18],
    },
    {
      inputs: [
        { dims: [2, 1], data: [1, 2] },
        { dims: [2, 3], data: [1, 2, 3, 4, 5, 6] },
      ],
      attributes: { transA: 1, alpha: 0.5 },
      expected: [4.5, 6, 7.5],
    },
    {
      inputs: [
        { dims: [2, 1], data: [1, 2] },
        { dims: [3, 2], data: [1, 2, 3, 4, 5, 6] },
      ],
      attributes: { transA: 1, transB: 1 },
      expected: [5, 11, 17],
    },
    {
      inputs: [
        { dims: [1, 2], data: [1, 2] },
        { dims: [2, 2], data: [1, 2, 3, 4] },
      ],
      expected: [7, 10],
    },
  ],
});

const order = <T>([a, b]: readonly T[], transposed: number): readonly (T | undefined)[] =>
  transposed ? [b, a] : [a, b];
