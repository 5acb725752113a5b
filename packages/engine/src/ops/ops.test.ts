import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { createGraph } from "../graph/graph.ts";
import type { OpCase, OpName, Value } from "../graph/op.ts";
import { encodeModel } from "../onnx/model.ts";
import { ops } from "./registry.ts";

interface Built {
  readonly session: ort.InferenceSession;
  readonly feeds: Record<string, ort.Tensor>;
}

/** A graph of one operator: y, and where asked the gradients of Σ w y with fixed weights w. */
async function build(name: OpName, example: OpCase, withGradients: boolean): Promise<Built> {
  const g = createGraph(ops);
  const feeds: Record<string, ort.Tensor> = {};
  const feed = (key: string, data: readonly number[], dims: readonly number[], type?: "int8"): Value => {
    feeds[key] = type
      ? new ort.Tensor(type, Int8Array.from(data), dims)
      : new ort.Tensor("float32", Float32Array.from(data), dims);
    return g.input(key, type ?? "float32", dims);
  };
  const inputs = example.inputs.map((input, i) => feed(`x${i}`, input.data, input.dims, input.type));
  const y = g.op(name, inputs, example.attributes);
  expect(y.shape.every((dim) => typeof dim === "number")).toBe(true);
  const outputs: Record<string, Value> = { y };
  const weights = feed(
    "weights",
    example.expected.map((_, i) => 0.5 + 0.25 * (i % 3)),
    y.shape.map(Number),
  );
  const loss = g.op("ReduceSum", [g.op("Mul", [y, weights])], { axes: y.shape.map((_, i) => i) });
  outputs["loss"] = loss;
  if (withGradients) {
    const by = example.differentiate ?? inputs.map((_, i) => i);
    const chosen = by.flatMap((i) => inputs[i] ?? []);
    for (const [i, gradient] of g.gradients(loss, chosen).entries()) outputs[`dx${by[i]}`] = gradient;
  }
  const session = await ort.InferenceSession.create(encodeModel(g.toOnnx(name, outputs)), { logSeverityLevel: 3 });
  return { session, feeds };
}

const lossOf = async ({ session, feeds }: Built): Promise<number> =>
  Number((await session.run(feeds))["loss"]?.data[0]);

describe.each(Object.entries(ops))("%s", (name, definition) => {
  test.each(definition.cases.map((example, i) => [i, example] as const))("case %i", async (_, example) => {
    const differentiable = definition.grad !== "none";
    const built = await build(name as OpName, example, differentiable);
    const out = await built.session.run(built.feeds);
    const [declared] = definition.shape(
      example.inputs.map((input) => input.dims),
      example.attributes ?? {},
    );
    expect(out["y"]?.dims).toEqual(declared);
    for (const [i, value] of example.expected.entries()) {
      expect(Math.abs(Number(out["y"]?.data[i]) - value)).toBeLessThanOrEqual(example.tolerance ?? 5e-5);
    }
    if (differentiable) {
      for (const index of example.differentiate ?? example.inputs.map((_, i) => i)) {
        await compareWithFiniteDifferences(built, `x${index}`, out[`dx${index}`]?.data as Float32Array);
      }
    }
    await built.session.release();
  });
});

async function compareWithFiniteDifferences(built: Built, input: string, gradient: Float32Array): Promise<void> {
  const step = 1e-2;
  const data = built.feeds[input]?.data as Float32Array;
  expect(gradient).toHaveLength(data.length);
  for (let i = 0; i < data.length; i++) {
    const centre = data[i] ?? 0;
    data[i] = centre + step;
    const above = await lossOf(built);
    data[i] = centre - step;
    const below = await lossOf(built);
    data[i] = centre;
    expect(gradient[i] ?? Number.NaN).toBeCloseTo((above - below) / (2 * step), 2);
  }
}
