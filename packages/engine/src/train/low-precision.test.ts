// Training with int8 products: near float32, faithful to changed weights, resumed in the precision it began with.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeModel } from "../models/registry.ts";
import { padBatch } from "./batch.ts";
import { createDropoutPool } from "./dropout.ts";
import { openEncoder } from "./encoder.ts";
import { freshParameters } from "./parameters.ts";
import { choosePrecision, measurePrecision } from "./precision.ts";

const model = describeModel({
  ...{ model_type: "distilbert", vocab_size: 50, dim: 64, n_layers: 3, n_heads: 4, hidden_dim: 128, num_labels: 3 },
  ...{ max_position_embeddings: 32, initializer_range: 0.1 },
});
const windows = Array.from({ length: 8 }, (_, i) =>
  Int32Array.from({ length: 12 + i }, (_, k) => (7 * i + 3 * k) % 50),
);
const batch = padBatch(windows, [], 0);
const targets = Float32Array.from({ length: 24 }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 1 / 8 : 0));
const masks = createDropoutPool(1).at(0, 0);

test.each(["gradients", "all"] as const)(
  "int8 for %s stays near float32, and refresh takes over changes",
  async (int8) => {
    const parameters = freshParameters(model, 1);
    const options = { rates: { hidden: 0, attention: 0, head: 0 }, isTrainable: () => true, threads: 1 };
    const exact = await openEncoder(model, parameters, options);
    const low = await openEncoder(model, parameters, { ...options, int8 });
    const [a, b] = [await exact.step(batch, { targets, masks }), await low.step(batch, { targets, masks })];
    if (int8 === "all")
      expect(b.loss).not.toBe(a.loss); // it did run in integers
    else expect(b.loss).toBeCloseTo(a.loss, 6);
    const first = "distilbert.transformer.layer.0.ffn.lin1.weight";
    expect(b.gradients.get(first)).not.toEqual(a.gradients.get(first));
    expect(b.loss).toBeCloseTo(a.loss, 1);
    for (const [name, gradient] of a.gradients) {
      if (name.endsWith("k_lin.bias")) continue; // vanishes in theory
      expect({ name, cosine: cosine(gradient, b.gradients.get(name) ?? new Float32Array()) }).toSatisfy(
        (it: { cosine: number }) => it.cosine > (int8 === "all" ? 0.98 : 0.995),
      );
    }
    for (const { data } of parameters.values()) for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) * 1.5;
    const moved = (await exact.step(batch, { targets, masks })).loss;
    low.refresh();
    expect((await low.step(batch, { targets, masks })).loss).toBeCloseTo(moved, 1);
    await exact.release();
    await low.release();
  },
);

test("auto measures once and then keeps to it", async () => {
  const { float32Ms, int8Ms } = await measurePrecision(1);
  expect(float32Ms).toBeGreaterThan(0);
  expect(int8Ms).toBeGreaterThan(0);
  const folder = await mkdtemp(join(tmpdir(), "precision-"));
  const place = { checkpointDir: join(folder, "run"), threads: 1 };
  const chosen = await choosePrecision("auto", place);
  const other = chosen === "float32" ? "int8-gradients" : "float32";
  await writeFile(join(folder, "run/precision.json"), JSON.stringify(other));
  expect(await choosePrecision("auto", place)).toBe(other);
  expect(await choosePrecision(chosen, place)).toBe(chosen);
  await rm(folder, { recursive: true });
});

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += (a[i] ?? 0) * (b[i] ?? 0);
    aa += (a[i] ?? 0) ** 2;
    bb += (b[i] ?? 0) ** 2;
  }
  return dot / Math.sqrt(aa * bb);
}
