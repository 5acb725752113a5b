/** Places rows at the first token and zeros after it: the reverse of TakeFirst. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** y[:, 0, :] = rows (batch, width), zero elsewhere; y is shaped like the second input (batch, tokens, width). */
export const PutFirst = defineOp({
  shape: (shapes) => [shapeAt("PutFirst", shapes, 1)],
  onnx: (g, [rows = "", like = ""]) => {
    const [tokens = ""] = g.node("Shape", [like], { attributes: { start: 1, end: 2 } });
    const [behind = ""] = g.node("Sub", [tokens, g.ints([1])]);
    const [pads = ""] = g.node("Concat", [g.ints([0, 0, 0, 0]), behind, g.ints([0])], { attributes: { axis: 0 } });
    const [first = ""] = g.node("Unsqueeze", [rows, g.ints([1])]);
    return g.node("Pad", [first, pads]);
  },
  grad: (g, dy) => [g.op("TakeFirst", [dy]), undefined],
  cases: [
    {
      inputs: [
        { dims: [2, 1], data: [5, 6] },
        { dims: [2, 2, 1], data: [1, 2, 3, 4] },
      ],
      expected: [5, 0, 6, 0],
      differentiate: [0],
    },
  ],
});
