/** Elementwise product of two tensors, broadcast. */
import { defineOp } from "../graph/op.ts";
import { broadcast, shapeAt } from "../graph/shape.ts";

/** y = a b; da = dy b, db = dy a, summed over broadcast dimensions. */
export const Mul = defineOp({
  shape: (shapes) => [broadcast("Mul", shapeAt("Mul", shapes, 0), shapeAt("Mul", shapes, 1))],
  onnx: (g, inputs) => g.node("Mul", inputs),
  grad: (g, dy, { inputs: [a, b], wants }) => [
    a && b && wants[0] ? g.sumTo(g.op("Mul", [dy, b]), a.shape) : undefined,
    a && b && wants[1] ? g.sumTo(g.op("Mul", [dy, a]), b.shape) : undefined,
  ],
  cases: [
    {
      inputs: [
        { dims: [2, 2], data: [1, 2, 3, 4] },
        { dims: [2], data: [10, 20] },
      ],
      expected: [10, 40, 30, 80],
    },
    {
      inputs: [
        { dims: [3], data: [1, -2, 3] },
        { dims: [3], data: [2, 2, 0.5] },
      ],
      expected: [2, -4, 1.5],
    },
  ],
});
