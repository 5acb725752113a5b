/** GELU by its tanh approximation, as GPT-2 and T5 v1.1 use it. https://arxiv.org/abs/1606.08415 */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** y = x (1 + tanh u) / 2 with u = √(2/π) (x + 0.044715 x³). */
export const FastGelu = defineOp({
  shape: (shapes) => [shapeAt("FastGelu", shapes, 0)],
  onnx: (g, inputs) => g.node("FastGelu", inputs, { domain: "com.microsoft" }),
  grad: (g, dy, { inputs: [x] }) => [x && g.op("FastGeluGrad", [x, dy])],
  cases: [{ inputs: [{ dims: [4], data: [-2, -0.5, 0, 1.5] }], expected: [-0.0454023, -0.154286, 0, 1.3995717] }],
});
