/** Softmax over the last dimension. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** y = exp(x) / Σ exp(x) over the last dimension. */
export const Softmax = defineOp({
  shape: (shapes) => [shapeAt("Softmax", shapes, 0)],
  onnx: (g, inputs) => g.node("Softmax", inputs, { attributes: { axis: -1 } }),
  grad: (g, dy, { outputs: [y] }) => [y && g.op("SoftmaxGrad", [y, dy])],
  cases: [{ inputs: [{ dims: [1, 3], data: [1, 2, 3] }], expected: [0.0900306, 0.2447285, 0.6652409] }],
});
