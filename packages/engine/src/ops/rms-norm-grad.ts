/** Gradients of root-mean-square normalisation by input and weight. */
import { defineOp } from "../graph/op.ts";
import { numberOf, shapeAt } from "../graph/shape.ts";

/** With r = 1/√(mean x² + epsilon), n = x r and h = weight dy: dx = r (h - n mean(h n)), dweight = Σ dy n. */
export const RmsNormGrad = defineOp({
  shape: (shapes) => [shapeAt("RmsNormGrad", shapes, 0), shapeAt("RmsNormGrad", shapes, 1)],
  onnx: (g, [x = "", weight = "", dy = ""], { shapes, attributes }) => {
    const shape = shapeAt("RmsNormGrad", shapes, 0);
    const one = (op: string, ...inputs: string[]): string => g.node(op, inputs)[0] ?? "";
    const mean = (value: string): string =>
      g.node("ReduceMean", [value, g.ints([-1])], { attributes: { keepdims: 1 } })[0] ?? "";
    const epsilon = g.floats([numberOf(attributes, "epsilon", 1e-6)], []);
    const r = one("Reciprocal", one("Sqrt", one("Add", mean(one("Mul", x, x)), epsilon)));
    const n = one("Mul", x, r);
    const dyN = one("Mul", dy, n);
    const h = one("Mul", dy, weight);
    const along = one("Mul", n, mean(one("Mul", h, n)));
    const axes = g.ints(shape.slice(0, -1).map((_, i) => i));
    const [dWeight = ""] = g.node("ReduceSum", [dyN, axes], { attributes: { keepdims: 0 } });
    return [one("Mul", one("Sub", h, along), r), dWeight];
  },
  grad: "none",
  cases: [
    {
      inputs: [
        { dims: [1, 2], data: [3, 4] },
        { dims: [2], data: [1, 2] },
        { dims: [1, 2], data: [1, 1] },
      ],
      attributes: { epsilon: 1e-12 },
      expected: [-0.0905097, 0.0678823],
    },
  ],
});
