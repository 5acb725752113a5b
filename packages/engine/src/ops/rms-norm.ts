/** Root-mean-square normalisation over the last dimension. https://arxiv.org/abs/1910.07467 */
import { defineOp } from "../graph/op.ts";
import { numberOf, sameDim, shapeAt } from "../graph/shape.ts";

/** y = weight x / √(mean x² + epsilon); x (…, n), weight (n). */
export const RmsNorm = defineOp({
  shape: (shapes) => {
    const x = shapeAt("RmsNorm", shapes, 0);
    sameDim("RmsNorm", x.at(-1), shapeAt("RmsNorm", shapes, 1)[0]);
    return [x];
  },
  onnx: (g, inputs, { attributes }) =>
    g.node("SimplifiedLayerNormalization", inputs, {
      attributes: { axis: -1, epsilon: { float: numberOf(attributes, "epsilon", 1e-6) }, stash_type: 1 },
    }),
  grad: (g, dy, { inputs: [x, weight], attributes }) =>
    x && weight ? g.all("RmsNormGrad", [x, weight, dy], attributes) : [],
  cases: [
    {
      inputs: [
        { dims: [2, 2], data: [3, 4, -1, 1] },
        { dims: [2], data: [1, 2] },
      ],
      attributes: { epsilon: 1e-12 },
      expected: [0.8485281, 2.2627417, -1, 2],
    },
  ],
});
