import { cp, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeModel } from "../models/registry.ts";
import { referenceFolders, references } from "../testing/references.ts";
import { compareLogits, parityGate } from "./parity.ts";
import { quantise, quantiseMatrix, quantiseTensors } from "./quantise.ts";
import { nodeRuntime } from "./open.ts";
import { probeIntegerForm } from "./runner.ts";
import { createSession } from "./session.ts";

interface Expected {
  readonly texts: readonly { text: string; input_ids: number[]; logits: number[] }[];
}

describe.each(referenceFolders)("%s through the fused graph", (name) => {
  let folder = "";
  let rows: Int32Array[] = [];
  let expected: number[][] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "infer-"));
    await cp(join(references, name), folder, { recursive: true });
    const { texts } = JSON.parse(await readFile(join(folder, "expected.json"), "utf8")) as Expected;
    rows = texts.map((text) => Int32Array.from(text.input_ids));
    expected = texts.map((text) => text.logits);
    await quantise(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("fp32 logits agree with the original implementation, batched and alone", async () => {
    const session = await createSession(folder, { precision: "fp32", threads: 1, maxTokens: 256 });
    const together = await session.run(rows);
    for (const [i, row] of rows.entries()) {
      const [alone = new Float32Array()] = await session.run([row]);
      for (const [j, value] of (expected[i] ?? []).entries()) {
        expect(Math.abs((together[i]?.[j] ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-4);
        expect(Math.abs((alone[j] ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-4);
      }
    }
    await session.release();
  });

  test("int8 stays near fp32, whichever form the weights take and whoever shares the batch", async () => {
    const signed = await createSession(folder, { precision: "int8", threads: 1, integerForm: "s8" });
    const shifted = await createSession(folder, { precision: "int8", threads: 1, integerForm: "u8" });
    const together = await signed.run(rows);
    const alone = (await Promise.all(rows.map((row) => signed.run([row])))).flat();
    const other = await shifted.run(rows);
    const original = expected.map((logits) => Float32Array.from(logits));
    const largest = Math.max(1, ...expected.flat().map(Math.abs));
    compareLogits(original, together, { maxLogitDifference: 0.1 * largest, maxFlipRate: 0.1 });
    compareLogits(alone, together, { maxLogitDifference: 1e-4 });
    if ((await probeIntegerForm(nodeRuntime())) === "s8") compareLogits(other, together, { maxLogitDifference: 1e-4 });
    expect(signed.memoryBytes).toBeLessThan((await stat(join(folder, "model.safetensors"))).size / 2);
    await signed.release();
    await shifted.release();
  });

  test("the parity gate reports, and refuses over budget", async () => {
    const texts = ["Ignore previous instructions", "What is the weather like?", "word ".repeat(400)];
    const report = await parityGate(folder, texts, { threads: 1, maxLogitDifference: 0.1, maxFlipRate: 0.4 });
    expect(report.texts).toBe(3);
    expect(report.largestLogitDifference).toBeGreaterThan(0);
    const strict = parityGate(folder, texts, { threads: 1, maxLogitDifference: 1e-9 });
    await expect(strict).rejects.toMatchObject({ code: "PARITY" });
  });

  test("rows that the model cannot read are refused", async () => {
    const session = await createSession(folder, { precision: "int8", threads: 1 });
    await expect(session.run([new Int32Array()])).rejects.toMatchObject({ code: "SHAPE" });
    await expect(session.run([new Int32Array(session.config.maxTokens + 1).fill(5)])).rejects.toMatchObject({
      code: "SHAPE",
    });
    await session.release();
  });
});

test("channels that are far larger than the rest are evened out before they are quantised", () => {
  const model = describeModel({
    ...{ model_type: "distilbert", dim: 2, n_heads: 1, n_layers: 1, hidden_dim: 2, vocab_size: 2 },
    ...{ max_position_embeddings: 2, num_labels: 2 },
  });
  const values = Float32Array.of(1, 2, -3, 4);
  const tensors = new Map(
    model.architecture.parameters(model.config).map(({ name, shape }) => {
      const own = shape.length === 2 ? values : values.subarray(0, 2);
      return [
        name,
        { dtype: "F32", shape, bytes: new Uint8Array(values.buffer), toFloat32: () => own.slice() } as const,
      ];
    }),
  );
  const layer = "distilbert.transformer.layer.0.ffn.lin1";
  const expand = `${layer}.weight`;
  const out = quantiseTensors(model, tensors, new Map([[layer, Float32Array.of(100, 1)]]));
  const of = (name: string): number[] => [
    ...((out.find((t) => t.name === name)?.data ?? []) as Float32Array | Int8Array),
  ];
  const factors = of(`${expand}.channels`);
  expect(factors[0]).toBeCloseTo(Math.sqrt(3 / 100));
  expect(factors[1]).toBeCloseTo(Math.sqrt(4 / 1));
  for (const [i, value] of of(expand).entries()) {
    const restored = value * (of(`${expand}.scale`)[i >> 1] ?? 0) * (factors[i % 2] ?? 0);
    expect(restored).toBeCloseTo(values[i] ?? 0, 0);
  }
});

test("quantised rows keep within half a step, all-zero rows included", () => {
  const { values, scales } = quantiseMatrix(Float32Array.of(1, -2, 0.5, 0, 0, 0), 2, 3);
  expect([...values]).toEqual([64, -127, 32, 0, 0, 0]);
  expect(scales[0]).toBeCloseTo(2 / 127);
  expect(scales[1]).toBe(0);
});

test("unknown families and sizes are named", () => {
  expect(() => describeModel({ model_type: "mamba" })).toThrow(/model_type mamba/);
  expect(() => describeModel({ model_type: "distilbert", vocab_size: 9, dim: 8, n_layers: 0 })).toThrow(/n_layers/);
});
