/** Sum of the rows of a matrix: gradients of biases. A product with ones is two to five times faster than ReduceSum. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** y (n) = Σ over rows of x (rows, n). */
export const SumRows = defineOp({
  shape: (shapes) => [[shapeAt("SumRows", shapes, 0)[1] ?? 1]],
  onnx: (g, [x = ""], { outputs: [out = []] }) => {
    const [rows = ""] = g.node("Shape", [x], { attributes: { start: 0, end: 1 } });
    const [dims = ""] = g.node("Concat", [g.ints([1]), rows], { attributes: { axis: 0 } });
    const one = { name: "one", type: "float32", dims: [1], data: Float32Array.of(1) } as const;
    const [ones = ""] = g.node("ConstantOfShape", [dims], { attributes: { value: { tensor: one } } });
    const [sum = ""] = g.node("MatMul", [ones, x]);
    return g.node("Reshape", [sum, g.shape(out)]);
  },
  grad: (g, dy, { inputs: [x] }) => [x && g.op("Add", [g.op("Scale", [x], { factor: 0 }), dy])],
  cases: [{ inputs: [{ dims: [3, 2], data: [1, 2, 3, 4, 5, 6] }], expected: [9, 12] }],
});
