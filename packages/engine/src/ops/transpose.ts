/** Permutation of dimensions. */
import { defineOp } from "../graph/op.ts";
import { numbersOf, shapeAt } from "../graph/shape.ts";

/** Dimension i of y is dimension perm[i] of x. */
export const Transpose = defineOp({
  shape: (shapes, attributes) => {
    const x = shapeAt("Transpose", shapes, 0);
    return [numbersOf(attributes, "perm").map((axis) => x[axis] ?? 1)];
  },
  onnx: (g, inputs, { attributes }) =>
    g.node("Transpose", inputs, { attributes: { perm: { ints: numbersOf(attributes, "perm") } } }),
  grad: (g, dy, { attributes }) => {
    const perm = numbersOf(attributes, "perm");
    return [g.op("Transpose", [dy], { perm: perm.map((_, i) => perm.indexOf(i)) })];
  },
  cases: [
    {
      inputs: [{ dims: [1, 2, 3], data: [1, 2, 3, 4, 5, 6] }],
      attributes: { perm: [2, 0, 1] },
      expected: [1, 4, 2, 5, 3, 6],
    },
  ],
});
