/** Gradient of softmax from its output. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** dx = y (dy - Σ y dy). */
export const SoftmaxGrad = defineOp({
  shape: (shapes) => [shapeAt("SoftmaxGrad", shapes, 0)],
  onnx: (g, [y = "", dy = ""]) => {
    const [product = ""] = g.node("Mul", [y, dy]);
    const [sum = ""] = g.node("ReduceSum", [product, g.ints([-1])], { attributes: { keepdims: 1 } });
    const [along = ""] = g.node("Mul", [y, sum]);
    return g.node("Sub", [product, along]);
  },
  grad: "none",
  cases: [
    {
      inputs: [
        { dims: [1, 2], data: [0.25, 0.75] },
        { dims: [1, 2], data: [1, 3] },
      ],
      expected: [-0.375, 0.375],
    },
  ],
});
