/** Rotary position embedding over token rows: https://arxiv.org/abs/2104.09864. One fused node of ONNX Runtime. */
import { defineOp } from "../graph/op.ts";
import { sameDim, shapeAt } from "../graph/shape.ts";

/**
 * Turns the pair (i, i + dim/2) of every head by the angle of its token; x (batch, tokens, heads x dim),
 * cos and sin (tokens, dim/2). A rotation's gradient is the rotation back.
 */
export const Rotate = defineOp({
  shape: (shapes) => {
    const x = shapeAt("Rotate", shapes, 0);
    sameDim("Rotate", x[1], shapeAt("Rotate", shapes, 1)[0]);
    sameDim("Rotate", x[1], shapeAt("Rotate", shapes, 2)[0]);
    return [x];
  },
  onnx: (g, [x = "", cos = "", sin = ""]) =>
    g.node("RotaryEmbedding", [x, g.ints([0]), cos, sin], { domain: "com.microsoft" }),
  grad: (g, dy, { inputs: [, cos, sin] }) => {
    if (cos === undefined || sin === undefined) return [];
    return [g.op("Rotate", [dy, cos, g.op("Scale", [sin], { factor: -1 })])];
  },
  cases: [
    {
      inputs: [
        { dims: [1, 2, 4], data: [1, 2, 3, 4, 5, 6, 7, 8] },
        { dims: [2, 1], data: [1, 0.6] },
        { dims: [2, 1], data: [0, 0.8] },
      ],
      // two heads of width 2: the first token stays, the second turns
      expected: [1, 2, 3, 4, 5 * 0.6 - 6 * 0.8, 6 * 0.6 + 5 * 0.8, 7 * 0.6 - 8 * 0.8, 8 * 0.6 + 7 * 0.8],
      differentiate: [0],
    },
  ],
});
