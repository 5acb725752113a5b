/** The first token of every row: what a classifier reads. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** y (batch, width) = x[:, 0, :] of x (batch, tokens, width). */
export const TakeFirst = defineOp({
  shape: (shapes) => {
    const [batch = 1, , width = 1] = shapeAt("TakeFirst", shapes, 0);
    return [[batch, width]];
  },
  onnx: (g, [x = ""]) => {
    const [slice = ""] = g.node("Gather", [x, g.ints([0])], { attributes: { axis: 1 } });
    return g.node("Squeeze", [slice, g.ints([1])]);
  },
  grad: (g, dy, { inputs: [x] }) => [x && g.op("PutFirst", [dy, x])],
  cases: [{ inputs: [{ dims: [2, 2, 1], data: [1, 2, 3, 4] }], expected: [1, 3] }],
});
