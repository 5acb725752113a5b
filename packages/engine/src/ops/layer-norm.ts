/** Layer normalisation over the last dimension. https://arxiv.org/abs/1607.06450 */
import { defineOp } from "../graph/op.ts";
import { numberOf, sameDim, shapeAt } from "../graph/shape.ts";

/** y = weight (x - mean) / √(variance + epsilon) + bias; x (…, n), weight and bias (n); the bias may be left out. */
export const LayerNorm = defineOp({
  shape: (shapes) => {
    const x = shapeAt("LayerNorm", shapes, 0);
    sameDim("LayerNorm", x.at(-1), shapeAt("LayerNorm", shapes, 1)[0]);
    return [x];
  },
  onnx: (g, inputs, { attributes }) =>
    g.node("LayerNormalization", inputs, {
      attributes: { axis: -1, epsilon: { float: numberOf(attributes, "epsilon", 1e-12) } },
    }),
  grad: (g, dy, { inputs, attributes }) => {
    const [x, weight] = inputs;
    return x && weight ? g.all("LayerNormGrad", [x, weight, dy], attributes).slice(0, inputs.length) : [];
  },
  cases: [
    {
      inputs: [
        { dims: [2, 3], data: [1, 2, 4, -3, 0, 2] },
        { dims: [3], data: [1, 2, 0.5] },
        { dims: [3], data: [0, 1, -1] },
      ],
      attributes: { epsilon: 1e-12 },
      expected: [-1.0690449, 0.4654776, -0.3318467, -1.2977714, 1.3244428, -0.4322251],
    },
    {
      inputs: [
        { dims: [1, 2], data: [0, 2] },
        { dims: [2], data: [1, 3] },
      ],
      attributes: { epsilon: 3 },
      expected: [-0.5, 1.5],
    },
  ],
});
