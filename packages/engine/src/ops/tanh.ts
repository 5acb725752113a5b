/** Hyperbolic tangent. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** y = tanh x; dx = dy (1 - y²). */
export const Tanh = defineOp({
  shape: (shapes) => [shapeAt("Tanh", shapes, 0)],
  onnx: (g, inputs) => g.node("Tanh", inputs),
  grad: (g, dy, { outputs: [y] }) => [
    y && g.op("Mul", [dy, g.op("Scale", [g.op("Mul", [y, y])], { factor: -1, offset: 1 })]),
  ],
  cases: [{ inputs: [{ dims: [3], data: [-1, 0, 0.5] }], expected: [-0.7615942, 0, 0.4621172] }],
});
