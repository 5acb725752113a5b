import { expect, test } from "vitest";
import { ops } from "../ops/registry.ts";
import { createGraph } from "./graph.ts";

test("shapes that do not fit are refused where they are built", () => {
  const g = createGraph(ops);
  const x = g.input("x", "float32", ["rows", 4]);
  const w = g.input("w", "float32", [3, 5]);
  expect(() => g.op("Gemm", [x, w], { transB: 1 })).toThrow(expect.objectContaining({ code: "SHAPE" }));
  expect(() => g.op("Add", [x, w])).toThrow(expect.objectContaining({ code: "SHAPE" }));
  expect(() => g.op("Gelu", [])).toThrow(expect.objectContaining({ code: "SHAPE" }));
});

test("a value the loss does not depend on, or a flat operator, has no gradient", () => {
  const g = createGraph(ops);
  const x = g.input("x", "float32", [1]);
  const y = g.input("y", "float32", [1]);
  expect(() => g.gradients(g.op("Mul", [x, x]), [y])).toThrow(expect.objectContaining({ code: "GRAPH" }));
  expect(() => g.gradients(g.op("Sign", [x]), [x])).toThrow(expect.objectContaining({ code: "GRAPH" }));
});

test("a shape with two unknown sizes cannot be emitted", () => {
  const g = createGraph(ops);
  const x = g.input("x", "float32", ["n", 4]);
  expect(() => g.op("Reshape", [x], { shape: ["a", "b"] })).toThrow(expect.objectContaining({ code: "GRAPH" }));
});

test("gradients leave out what was not asked for", () => {
  const g = createGraph(ops);
  const x = g.input("x", "float32", ["rows", 2]);
  const w = g.input("w", "float32", [2, 2]);
  const loss = g.op("ReduceSum", [g.op("Gemm", [x, w])], { axes: [0, 1] });
  const [dw] = g.gradients(loss, [w]);
  const { nodes } = g.toOnnx("w", dw ? { dw } : {});
  expect(nodes.filter(({ op }) => op === "Gemm")).toHaveLength(2); // forward and dw, no dx
});
