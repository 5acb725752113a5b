/** Rectifier. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** y = max(x, 0); dx = dy where y is positive. */
export const Relu = defineOp({
  shape: (shapes) => [shapeAt("Relu", shapes, 0)],
  onnx: (g, inputs) => g.node("Relu", inputs),
  grad: (g, dy, { outputs: [y] }) => [y && g.op("Mul", [dy, g.op("Sign", [y])])],
  cases: [{ inputs: [{ dims: [3], data: [-1, 2, 0.5] }], expected: [0, 2, 0.5] }],
});
