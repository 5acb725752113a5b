import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { architectures, MODEL_CONFIGS, readModelConfig } from "./registry.ts";

test("architectures and presets are found by folder", () => {
  expect([...architectures.keys()]).toEqual(expect.arrayContaining(["bert", "distilbert"]));
  expect(MODEL_CONFIGS["bert-base"]).toMatchObject({ repository: "google-bert/bert-base-uncased", modelType: "bert" });
  for (const { revision } of Object.values(MODEL_CONFIGS)) expect(revision).toMatch(/^[0-9a-f]{40}$/);
});

test.each([...architectures.values()])("$modelType reads what it writes", ({ readConfig, writeConfig, parameters }) => {
  const config = readConfig({
    vocab_size: 10,
    hidden_size: 8,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 16,
    max_position_embeddings: 32,
    id2label: { "1": "b", "0": "a", "10": "k" },
  });
  expect(config.labels).toEqual(["a", "b", "k"]);
  expect(readConfig(writeConfig(config))).toEqual(config);
  const names = parameters(config).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(() => readConfig({})).toThrow(expect.objectContaining({ code: "CONFIG" }));
});

test("a folder without a config is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mlsec-models-"));
  await expect(readModelConfig(folder)).rejects.toMatchObject({ code: "CONFIG" });
  await rm(folder, { recursive: true });
});
