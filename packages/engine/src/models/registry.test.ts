import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { referenceFolders, references, withoutReference } from "../testing/references.ts";
import { architectures, describeModel, MODEL_CONFIGS, readModelConfig } from "./registry.ts";

test("architectures and presets are found by folder", () => {
  expect([...architectures.keys()]).toEqual(expect.arrayContaining(["bert", "distilbert"]));
  expect(MODEL_CONFIGS["bert-base"]).toMatchObject({ repository: "google-bert/bert-base-uncased", modelType: "bert" });
  for (const { revision } of Object.values(MODEL_CONFIGS)) expect(revision).toMatch(/^[0-9a-f]{40}$/);
});

test("every architecture has a reference model", () => expect(withoutReference).toEqual([]));

test.each(referenceFolders)("%s: reads what it writes", async (name) => {
  const json = JSON.parse(await readFile(join(references, name, "config.json"), "utf8"));
  json.id2label = { "1": "b", "0": "a", "10": "k" };
  const { architecture, config } = describeModel(json);
  expect(config.labels).toEqual(["a", "b", "k"]);
  expect(describeModel(architecture.writeConfig(config)).config).toEqual(config);
  const names = architecture.parameters(config).map(({ name: parameter }) => parameter);
  expect(new Set(names).size).toBe(names.length);
});

test.each([...architectures.values()])("$modelType refuses an empty config", ({ readConfig }) => {
  expect(() => readConfig({})).toThrow(expect.objectContaining({ code: "CONFIG" }));
});

test("a folder without a config is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mlsec-models-"));
  await expect(readModelConfig(folder)).rejects.toMatchObject({ code: "CONFIG" });
  await rm(folder, { recursive: true });
});
