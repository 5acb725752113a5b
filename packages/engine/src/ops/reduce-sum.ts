/** Sum over given axes. */
import { defineOp } from "../graph/op.ts";
import { numbersOf, shapeAt } from "../graph/shape.ts";

/** y = Σ x over `axes`, which stay as dimensions of 1. */
export const ReduceSum = defineOp({
  shape: (shapes, attributes) => {
    const axes = numbersOf(attributes, "axes");
    return [shapeAt("ReduceSum", shapes, 0).map((dim, i) => (axes.includes(i) ? 1 : dim))];
  },
  onnx: (g, [x = ""], { attributes }) =>
    g.node("ReduceSum", [x, g.ints(numbersOf(attributes, "axes"))], { attributes: { keepdims: 1 } }),
  // Broadcasting dy over the summed axes: a product with ones shaped like x.
  grad: (g, dy, { inputs: [x] }) => [x && g.op("Add", [g.op("Scale", [x], { factor: 0 }), dy])],
  cases: [
    { inputs: [{ dims: [2, 2], data: [1, 2, 3, 4] }], attributes: { axes: [0] }, expected: [4, 6] },
    { inputs: [{ dims: [2, 2], data: [1, 2, 3, 4] }], attributes: { axes: [0, 1] }, expected: [10] },
  ],
});
