/** Sum of two tensors, broadcast. */
import { defineOp } from "../graph/op.ts";
import { broadcast, shapeAt } from "../graph/shape.ts";

/** y = a + b. The gradient is summed over broadcast dimensions. */
export const Add = defineOp({
  shape: (shapes) => [broadcast("Add", shapeAt("Add", shapes, 0), shapeAt("Add", shapes, 1))],
  onnx: (g, inputs) => g.node("Add", inputs),
  grad: (g, dy, { inputs, wants }) => inputs.map((input, i) => (wants[i] ? g.sumTo(dy, input.shape) : undefined)),
  cases: [
    {
      inputs: [
        { dims: [2, 2], data: [1, 2, 3, 4] },
        { dims: [2], data: [10, 20] },
      ],
      expected: [11, 22, 13, 24],
    },
    {
      inputs: [
        { dims: [2, 1], data: [1, 2] },
        { dims: [1, 2], data: [5, 6] },
      ],
      expected: [6, 7, 7, 8],
    },
  ],
});
