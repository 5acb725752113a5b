/** Gaussian error linear unit, exact: xΦ(x). https://arxiv.org/abs/1606.08415 */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** y = xΦ(x), one fused node. */
export const Gelu = defineOp({
  shape: (shapes) => [shapeAt("Gelu", shapes, 0)],
  onnx: (g, inputs) => g.node("Gelu", inputs, { domain: "com.microsoft" }),
  grad: (g, dy, { inputs: [x] }) => [x && g.op("GeluGrad", [x, dy])],
  cases: [{ inputs: [{ dims: [4], data: [-2, -0.5, 0, 1.5] }], expected: [-0.0455003, -0.1542688, 0, 1.3997892] }],
});
