/** Gradient of RelativeShift. */
import { defineOp } from "../graph/op.ts";
import { shapeAt } from "../graph/shape.ts";

/** dx of dy (…, tokens, tokens) and x (…, tokens, 2 tokens): every number back in its place, zeros in the others. */
export const RelativeShiftGrad = defineOp({
  shape: (shapes) => [shapeAt("RelativeShiftGrad", shapes, 1)],
  onnx: (g, [dy = ""], { shapes }) => {
    const lead = shapeAt("RelativeShiftGrad", shapes, 0).slice(0, -2);
    const size = shapes[0]?.at(-2) ?? 1;
    const [first = ""] = g.node("Sub", [g.shape([size]), g.ints([1])]);
    const pad = (value: string, before: string, after: string): string => {
      const [pads = ""] = g.node("Concat", [before, after], { attributes: { axis: 0 } });
      return g.node("Pad", [value, pads, "", g.ints([-1])])[0] ?? "";
    };
    const narrow = pad(dy, g.ints([0]), first); // (…, tokens, 2 tokens - 1)
    const [flat = ""] = g.node("Reshape", [narrow, g.shape([...lead, -1])]);
    return g.node("Reshape", [pad(flat, first, g.ints([1])), g.shape([...lead, size, -1])]); // (…, tokens, 2 tokens)
  },
  grad: "none",
  cases: [
    {
      inputs: [
        { dims: [1, 2, 2], data: [1, 2, 3, 4] },
        { dims: [1, 2, 4], data: [0, 0, 0, 0, 0, 0, 0, 0] },
      ],
      expected: [0, 1, 2, 0, 3, 4, 0, 0],
    },
  ],
});
