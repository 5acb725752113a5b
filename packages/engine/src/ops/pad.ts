/** Zeros around the last dimension: the reverse of Slice. */
import { defineOp } from "../graph/op.ts";
import { numberOf, shapeAt } from "../graph/shape.ts";

/** y (…, before + n + after) holds x (…, n) behind `before` zeros and in front of `after` zeros. */
export const Pad = defineOp({
  shape: (shapes, attributes) => {
    const x = shapeAt("Pad", shapes, 0);
    return [[...x.slice(0, -1), numberOf(attributes, "before") + Number(x.at(-1)) + numberOf(attributes, "after")]];
  },
  onnx: (g, [x = ""], { shapes, attributes }) => {
    const none = shapeAt("Pad", shapes, 0)
      .slice(0, -1)
      .map(() => 0);
    const [before, after] = [numberOf(attributes, "before"), numberOf(attributes, "after")];
    return g.node("Pad", [x, g.ints([...none, before, ...none, after])]);
  },
  grad: (g, dy, { inputs: [x], attributes }) => {
    const from = numberOf(attributes, "before");
    return [g.op("Slice", [dy], { from, to: from + Number(x?.shape.at(-1)) })];
  },
  cases: [
    {
      inputs: [{ dims: [2, 1], data: [1, 2] }],
      attributes: { before: 1, after: 2 },
      expected: [0, 1, 0, 0, 0, 2, 0, 0],
    },
  ],
});
