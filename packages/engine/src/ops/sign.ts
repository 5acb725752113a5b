/** Sign of every element; flat, so it is used only inside gradients. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** y = -1, 0 or 1. */
export const Sign = defineOp({
  shape: (shapes) => [shapeAt("Sign", shapes, 0)],
  onnx: (g, inputs) => g.node("Sign", inputs),
  grad: "none",
  cases: [{ inputs: [{ dims: [3], data: [-3, 0, 2] }], expected: [-1, 0, 1] }],
});
