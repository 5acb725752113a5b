/** Logistic function. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** y = 1 / (1 + exp(-x)); dx = dy y (1 - y). */
export const Sigmoid = defineOp({
  shape: (shapes) => [shapeAt("Sigmoid", shapes, 0)],
  onnx: (g, inputs) => g.node("Sigmoid", inputs),
  grad: (g, dy, { outputs: [y] }) => [
    y && g.op("Mul", [dy, g.op("Mul", [y, g.op("Scale", [y], { factor: -1, offset: 1 })])]),
  ],
  cases: [{ inputs: [{ dims: [3], data: [-1, 0, 2] }], expected: [0.2689414, 0.5, 0.8807971] }],
});
