/** From scores by distance to scores by key: every row of queries starts one distance later than the one above it. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/**
 * y[…, i, j] = x[…, i, j - i + tokens - 1] of x (…, tokens, 2 tokens): no index is read, the numbers only move.
 * Laid flat, a row of y begins 2 tokens - 1 numbers behind the row above, so it is a row of a narrower rectangle.
 */
export const RelativeShift = defineOp({
  shape: (shapes) => {
    const x = shapeAt("RelativeShift", shapes, 0);
    const tokens = x.at(-2) ?? 1;
    return [[...x.slice(0, -2), tokens, tokens]];
  },
  onnx: (g, [x = ""], { shapes }) => {
    const lead = shapeAt("RelativeShift", shapes, 0).slice(0, -2);
    const tokens = g.shape([shapes[0]?.at(-2) ?? 1]);
    const [first = ""] = g.node("Sub", [tokens, g.ints([1])]);
    const [flat = ""] = g.node("Reshape", [x, g.shape([...lead, -1])]); // (…, tokens x 2 tokens)
    const [cut = ""] = g.node("Slice", [flat, first, g.ints([-1]), g.ints([-1])]);
    const [narrow = ""] = g.node("Reshape", [cut, g.shape([...lead, shapes[0]?.at(-2) ?? 1, -1])]); // (…, tokens, 2 tokens - 1)
    return g.node("Slice", [narrow, g.ints([0]), tokens, g.ints([-1])]);
  },
  grad: (g, dy, { inputs: [x] }) => [x && g.op("RelativeShiftGrad", [dy, x])],
  cases: [
    {
      inputs: [{ dims: [1, 3, 6], data: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18] }],
      expected: [3, 4, 5, 8, 9, 10, 13, 14, 15],
    },
    {
      inputs: [{ dims: [2, 1, 2, 4], data: [1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6, 5, 4, 3, 2] }],
      expected: [2, 3, 5, 6, 8, 7, 5, 4],
    },
    { inputs: [{ dims: [2, 1, 2], data: [1, 2, 3, 4] }], expected: [1, 3] },
  ],
});
