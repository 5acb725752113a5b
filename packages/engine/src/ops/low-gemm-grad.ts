/** Input gradient of a linear layer by an int8 product. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/**
 * dx = dy W with W (out, in) int8 and a scale per column (in). Gradients of different texts differ by orders of
 * magnitude, so every row of dy is brought to norm 1 before it is quantised and back after the product.
 */
export const LowGemmGrad = defineOp({
  shape: (shapes) => [[shapeAt("LowGemmGrad", shapes, 0)[0] ?? 1, shapeAt("LowGemmGrad", shapes, 1)[1] ?? 1]],
  onnx: (g, [dy = "", columns = "", columnScales = ""]) => {
    const [norm = ""] = g.node("ReduceL2", [dy, g.ints([-1])], { attributes: { keepdims: 1 } });
    const [safe = ""] = g.node("Max", [norm, g.floats([1e-30], [])]);
    const [unit = ""] = g.node("Div", [dy, safe]);
    const inputs = [unit, columns, columnScales];
    const [product = ""] = g.node("DynamicQuantizeMatMul", inputs, { domain: "com.microsoft" });
    return g.node("Mul", [product, norm]);
  },
  grad: "none",
  cases: [
    {
      inputs: [
        { dims: [2, 2], data: [3, 4, 3e-6, 4e-6] },
        { dims: [2, 2], data: [127, 0, 0, 127], type: "int8" },
        { dims: [2], data: [1, 1] },
      ],
      expected: [381, 508, 0.000381, 0.000508],
      tolerance: 2,
    },
  ],
});
