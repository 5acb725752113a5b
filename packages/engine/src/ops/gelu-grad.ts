/** Derivative of GELU in nine nodes, all of them cheap in memory traffic: d/dx xΦ(x) = Φ(x) + xφ(x). */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/**
 * dx = dy (Φ(x) + xφ(x)). With s = x/√2: Φ(x) = (1 + erf s)/2, which HardSigmoid computes in one node since erf stays
 * within ±1, and xφ(x) = s exp(-s²)/√π, whose constant moves into the exponent.
 */
export const GeluGrad = defineOp({
  shape: (shapes) => [shapeAt("GeluGrad", shapes, 0)],
  onnx: (g, [x = "", dy = ""]) => {
    const [s = ""] = g.node("Mul", [x, g.floats([Math.SQRT1_2], [])]);
    const [erf = ""] = g.node("Erf", [s]);
    const [cdf = ""] = g.node("HardSigmoid", [erf], { attributes: { alpha: { float: 0.5 }, beta: { float: 0.5 } } });
    const [square = ""] = g.node("Mul", [s, s]);
    const [exponent = ""] = g.node("Sub", [g.floats([-Math.log(Math.PI) / 2], []), square]);
    const [bell = ""] = g.node("Exp", [exponent]);
    const [slope = ""] = g.node("Mul", [s, bell]);
    const [derivative = ""] = g.node("Add", [cdf, slope]);
    return g.node("Mul", [dy, derivative]);
  },
  grad: "none",
  cases: [
    {
      inputs: [
        { dims: [3], data: [-1, 0, 2] },
        { dims: [3], data: [1, 2, 1] },
      ],
      expected: [-0.0833155, 1, 1.0852319],
    },
  ],
});
