/** Cross-entropy with soft targets: label smoothing, class weights and the mean over rows are all in the targets. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** y (1, 1) = -Σ targets log softmax(logits); both (batch, labels). dlogits = dy (softmax Σ targets - targets). */
export const CrossEntropy = defineOp({
  shape: () => [[1, 1]],
  onnx: (g, [logits = "", targets = ""]) => {
    const [logs = ""] = g.node("LogSoftmax", [logits], { attributes: { axis: -1 } });
    const [terms = ""] = g.node("Mul", [logs, targets]);
    const [sum = ""] = g.node("ReduceSum", [terms, g.ints([0, 1])], { attributes: { keepdims: 1 } });
    return g.node("Neg", [sum]);
  },
  grad: (g, dy, { inputs: [logits, targets] }) => {
    if (logits === undefined || targets === undefined) return [];
    const mass = g.op("ReduceSum", [targets], { axes: [shapeAt("CrossEntropy", [targets.shape], 0).length - 1] });
    const expected = g.op("Mul", [g.op("Softmax", [logits]), mass]);
    return [g.op("Mul", [g.op("Sub", [expected, targets]), dy]), undefined];
  },
  cases: [
    {
      inputs: [
        { dims: [2, 2], data: [1, 2, 0, 0] },
        { dims: [2, 2], data: [0.5, 0, 0.2, 0.3] },
      ],
      expected: [1.0032045],
      differentiate: [0],
    },
  ],
});
