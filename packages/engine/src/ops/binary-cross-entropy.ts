/** Binary cross-entropy of independent labels; weights and the mean are in `mass`. */
import { defineOp } from "../graph/op.ts";

/**
 * y (1, 1) = Σ mass softplus(logits) - targets logits, where targets = mass × truth; logits and targets (batch, labels),
 * mass (batch, 1). dlogits = dy (mass sigmoid(logits) - targets).
 */
export const BinaryCrossEntropy = defineOp({
  shape: () => [[1, 1]],
  onnx: (g, [logits = "", targets = "", mass = ""]) => {
    const one = (op: string, ...inputs: string[]): string => g.node(op, inputs)[0] ?? "";
    const terms = one("Sub", one("Mul", one("Softplus", logits), mass), one("Mul", targets, logits));
    return g.node("ReduceSum", [terms, g.ints([0, 1])], { attributes: { keepdims: 1 } });
  },
  grad: (g, dy, { inputs: [logits, targets, mass] }) => {
    if (logits === undefined || targets === undefined || mass === undefined) return [];
    const expected = g.op("Mul", [g.op("Sigmoid", [logits]), mass]);
    return [g.op("Mul", [g.op("Sub", [expected, targets]), dy]), undefined, undefined];
  },
  cases: [
    {
      inputs: [
        { dims: [2, 2], data: [1, -2, 0, 0.5] },
        { dims: [2, 2], data: [0.5, 0, 0, 0.25] },
        { dims: [2, 1], data: [0.5, 0.25] },
      ],
      expected: [0.5119009],
      differentiate: [0],
    },
  ],
});
