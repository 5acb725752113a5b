/** Affine map by two constants. */
import { defineOp } from "../graph/op.ts";
import { numberOf, shapeAt } from "../graph/shape.ts";

/** y = factor x + offset (defaults 1 and 0). With factor 0 it makes a constant of the same shape. */
export const Scale = defineOp({
  shape: (shapes) => [shapeAt("Scale", shapes, 0)],
  onnx: (g, [x = ""], { attributes }) => {
    const factor = numberOf(attributes, "factor", 1);
    const offset = numberOf(attributes, "offset");
    const [scaled = x] = factor === 1 ? [x] : g.node("Mul", [x, g.floats([factor], [])]);
    return offset === 0 && factor !== 1 ? [scaled] : g.node("Add", [scaled, g.floats([offset], [])]);
  },
  grad: (g, dy, { attributes }) => [g.op("Scale", [dy], { factor: numberOf(attributes, "factor", 1) })],
  cases: [
    { inputs: [{ dims: [2], data: [1, -2] }], attributes: { factor: 3, offset: 1 }, expected: [4, -5] },
    { inputs: [{ dims: [2], data: [1, -2] }], attributes: { factor: 0.5 }, expected: [0.5, -1] },
  ],
});
