/** The same elements under another shape. */
import { defineOp } from "../graph/op.ts";
import { listOf } from "../graph/shape.ts";

/** y = x under attribute `shape`; at most one symbol may be unknown to the graph's inputs. */
export const Reshape = defineOp({
  shape: (_, attributes) => [listOf(attributes, "shape")],
  onnx: (g, [x = ""], { attributes }) => g.node("Reshape", [x, g.shape(listOf(attributes, "shape"))]),
  grad: (g, dy, { inputs: [x] }) => [x && g.op("Reshape", [dy], { shape: x.shape })],
  cases: [{ inputs: [{ dims: [2, 2], data: [1, 2, 3, 4] }], attributes: { shape: [4, 1] }, expected: [1, 2, 3, 4] }],
});
