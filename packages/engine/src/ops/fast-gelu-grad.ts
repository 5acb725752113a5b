/** Derivative of the tanh form of GELU. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/**
 * dx = dy s (1 + 2 x u' (1 - s)) with s = sigmoid(2u) = (1 + tanh u)/2, u = c (x + k x³), u' = c (1 + 3 k x²);
 * c = √(2/π), k = 0.044715.
 */
export const FastGeluGrad = defineOp({
  shape: (shapes) => [shapeAt("FastGeluGrad", shapes, 0)],
  onnx: (g, [x = "", dy = ""]) => {
    const c = Math.sqrt(2 / Math.PI);
    const one = (op: string, ...inputs: string[]): string => g.node(op, inputs)[0] ?? "";
    const scalar = (value: number): string => g.floats([value], []);
    const square = one("Mul", x, x);
    const slope = one("Add", one("Mul", square, scalar(2 * c * 0.044715)), scalar(2 * c)); // 2u / x
    const s = one("Sigmoid", one("Mul", x, slope));
    const steep = one("Add", one("Mul", square, scalar(6 * c * 0.044715)), scalar(2 * c)); // 2u'
    const rest = one("Sub", scalar(1), s);
    const inner = one("Add", one("Mul", one("Mul", x, steep), rest), scalar(1));
    return g.node("Mul", [dy, one("Mul", s, inner)]);
  },
  grad: "none",
  cases: [
    {
      inputs: [
        { dims: [3], data: [-1, 0, 2] },
        { dims: [3], data: [1, 2, 1] },
      ],
      expected: [-0.0829639, 1, 1.0860996],
    },
  ],
});
