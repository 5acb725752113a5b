/** Tokens moved along their row: what a convolution over tokens is made of. */
import { defineOp } from "../graph/op.ts";
import { numberOf, shapeAt } from "../graph/shape.ts";

/** y[:, t] = x[:, t + by] of x (batch, tokens, width), zeros where there is no such token. */
export const ShiftTokens = defineOp({
  shape: (shapes) => [shapeAt("ShiftTokens", shapes, 0)],
  onnx: (g, [x = ""], { attributes }) => {
    const by = numberOf(attributes, "by");
    if (by === 0) return g.node("Identity", [x]);
    // Padded before it is cut: a row may be shorter than the step.
    const [padded = ""] = g.node("Pad", [x, g.ints([Math.max(0, -by), Math.max(0, by)]), "", g.ints([1])]);
    const [from, to] = by > 0 ? [by, Number.MAX_SAFE_INTEGER] : [0, by];
    return g.node("Slice", [padded, g.ints([from]), g.ints([to]), g.ints([1])]);
  },
  grad: (g, dy, { attributes }) => [g.op("ShiftTokens", [dy], { by: -numberOf(attributes, "by") })],
  cases: [
    { inputs: [{ dims: [2, 2, 1], data: [1, 2, 3, 4] }], attributes: { by: 1 }, expected: [2, 0, 4, 0] },
    { inputs: [{ dims: [1, 3, 1], data: [1, 2, 3] }], attributes: { by: -2 }, expected: [0, 0, 1] },
    { inputs: [{ dims: [1, 2, 1], data: [1, 2] }], attributes: { by: 0 }, expected: [1, 2] },
    { inputs: [{ dims: [1, 1, 2], data: [1, 2] }], attributes: { by: 1 }, expected: [0, 0] },
  ],
});
