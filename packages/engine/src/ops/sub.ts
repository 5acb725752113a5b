/** Difference of two tensors, broadcast. */
import { defineOp } from "../graph/op.ts";
import { broadcast, shapeAt } from "../graph/shape.ts";

/** y = a - b. The gradient is summed over broadcast dimensions. */
export const Sub = defineOp({
  shape: (shapes) => [broadcast("Sub", shapeAt("Sub", shapes, 0), shapeAt("Sub", shapes, 1))],
  onnx: (g, inputs) => g.node("Sub", inputs),
  grad: (g, dy, { inputs: [a, b], wants }) => [
    a && wants[0] ? g.sumTo(dy, a.shape) : undefined,
    b && wants[1] ? g.op("Scale", [g.sumTo(dy, b.shape)], { factor: -1 }) : undefined,
  ],
  cases: [
    {
      inputs: [
        { dims: [2, 2], data: [1, 2, 3, 4] },
        { dims: [2], data: [10, 20] },
      ],
      expected: [-9, -18, -7, -16],
    },
  ],
});
