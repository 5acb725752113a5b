/** Gradients of layer normalisation by input, weight and bias. */
import { defineOp } from "../graph/op.ts";
import { numberOf, shapeAt } from "../graph/shape.ts";
import { SumRows } from "./sum-rows.ts";

/**
 * With n = (x - mean)/deviation and h = weight dy: dx = (h - mean(h) - n mean(h n)) / deviation,
 * dweight = Σ dy n, dbias = Σ dy. The two means over rows are products with weight / width, on the fast matrix path.
 */
export const LayerNormGrad = defineOp({
  shape: (shapes) => {
    const weight = shapeAt("LayerNormGrad", shapes, 1);
    return [shapeAt("LayerNormGrad", shapes, 0), weight, weight];
  },
  onnx: (g, [x = "", weight = "", dy = ""], { shapes, attributes }) => {
    const shape = shapeAt("LayerNormGrad", shapes, 0);
    const width = Number(shape.at(-1));
    const ones = g.floats(
      Array.from({ length: width }, () => 1),
      [width],
    );
    const epsilon = { float: numberOf(attributes, "epsilon", 1e-12) };
    const [n = "", , inverse = ""] = g.node("LayerNormalization", [x, ones], {
      attributes: { axis: -1, epsilon },
      outputs: 3,
    });
    const [share = ""] = g.node("Mul", [weight, g.floats([1 / width], [])]);
    const [column = ""] = g.node("Reshape", [share, g.ints([width, 1])]);
    const [dyN = ""] = g.node("Mul", [dy, n]);
    const [meanH = ""] = g.node("MatMul", [dy, column]);
    const [meanHN = ""] = g.node("MatMul", [dyN, column]);
    const [h = ""] = g.node("Mul", [dy, weight]);
    const [along = ""] = g.node("Mul", [n, meanHN]);
    const [rest = ""] = g.node("Sub", [h, along]);
    const [centred = ""] = g.node("Sub", [rest, meanH]);
    const sum = (value: string): string => {
      const [rows = value] = shape.length === 2 ? [] : g.node("Reshape", [value, g.ints([-1, width])]);
      return SumRows.onnx(g, [rows], { shapes: [["rows", width]], outputs: [[width]], attributes: {} })[0] ?? "";
    };
    return [...g.node("Mul", [centred, inverse]), sum(dyN), sum(dy)];
  },
  grad: "none",
  cases: [
    {
      inputs: [
        { dims: [1, 2], data: [0, 2] },
        { dims: [2], data: [1, 3] },
        { dims: [1, 2], data: [1, 1] },
      ],
      attributes: { epsilon: 3 },
      expected: [-0.375, 0.375],
    },
  ],
});
