/** Some columns of the last dimension: one of several results that a combined linear layer computes at once. */
import { defineOp } from "../graph/op.ts";
import { numberOf, shapeAt } from "../graph/shape.ts";

/** y (…, to - from) = x[…, from:to] of x (…, n). */
export const Slice = defineOp({
  shape: (shapes, attributes) => {
    const x = shapeAt("Slice", shapes, 0);
    return [[...x.slice(0, -1), numberOf(attributes, "to") - numberOf(attributes, "from")]];
  },
  onnx: (g, [x = ""], { attributes }) => {
    const [from, to] = [numberOf(attributes, "from"), numberOf(attributes, "to")];
    return g.node("Slice", [x, g.ints([from]), g.ints([to]), g.ints([-1])]);
  },
  grad: (g, dy, { inputs: [x], attributes }) => {
    const after = Number(x?.shape.at(-1)) - numberOf(attributes, "to");
    return [g.op("Pad", [dy], { before: numberOf(attributes, "from"), after })];
  },
  cases: [
    {
      inputs: [{ dims: [2, 3], data: [1, 2, 3, 4, 5, 6] }],
      attributes: { from: 1, to: 3 },
      expected: [2, 3, 5, 6],
    },
    { inputs: [{ dims: [1, 2, 2], data: [1, 2, 3, 4] }], attributes: { from: 0, to: 1 }, expected: [1, 3] },
  ],
});
