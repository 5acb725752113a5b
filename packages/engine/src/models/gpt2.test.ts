import { join } from "node:path";
import { expect, test } from "vitest";
import { createSession } from "../infer/session.ts";
import { references } from "../testing/references.ts";
import { openEncoder } from "../train/encoder.ts";
import { padBatch } from "../train/batch.ts";
import { loadParameters } from "../train/parameters.ts";
import { describeModel, readModelConfig } from "./registry.ts";

const folder = join(references, "gpt2");

test("padding tokens that a text spells at its end are not read, by either graph", async () => {
  const model = await readModelConfig(folder);
  const { padId } = model.config;
  const [plain, spelt] = [
    [7, padId, 9, 30],
    [7, padId, 9, 30, padId, padId],
  ].map((ids) => Int32Array.from(ids)) as [Int32Array, Int32Array];
  const session = await createSession(folder, { precision: "fp32", threads: 1 });
  const served = await session.run([plain, spelt, Int32Array.of(padId)]);
  await session.release();
  const parameters = await loadParameters(folder, model, 0);
  const rates = { hidden: 0, attention: 0, head: 0 };
  const sessions = await openEncoder(model, parameters, { rates, isTrainable: () => true, threads: 1 });
  const trained = await sessions.logits(padBatch([spelt, plain], [0, 1], padId));
  await sessions.release();
  for (const [i, value] of (served[0] ?? []).entries()) {
    expect(served[1]?.[i]).toBeCloseTo(value, 5);
    expect(trained[i]).toBeCloseTo(value, 5);
    expect(trained[5 + i]).toBeCloseTo(value, 5);
  }
  expect(served[2]?.every(Number.isFinite)).toBe(true);
});

test("GPT-2 itself has no padding token: the end of text stands in", () => {
  const json = {
    model_type: "gpt2",
    vocab_size: 50_257,
    n_embd: 8,
    n_layer: 1,
    n_head: 2,
    n_ctx: 64,
    eos_token_id: 50_256,
  };
  expect(describeModel(json).config).toMatchObject({ padId: 50_256, intermediate: 32, maxTokens: 64 });
  expect(() => describeModel({ ...json, add_cross_attention: true })).toThrow(/encoder/);
});
