import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { references } from "../testing/references.ts";
import { describeModel } from "./registry.ts";

const json = JSON.parse(await readFile(join(references, "modernbert", "config.json"), "utf8"));

test("files of transformers 4 say the same in other words", () => {
  const newer = ["rope_parameters", "layer_types", "dtype"];
  const rest = Object.fromEntries(Object.entries(json).filter(([key]) => !newer.includes(key)));
  const old = { ...rest, torch_dtype: "float32", global_rope_theta: 160_000, local_rope_theta: 10_000 };
  expect(describeModel(old).config).toEqual(describeModel(json).config);
});

test("biases are there where the configuration says so", () => {
  const names = (more: object): string[] => {
    const { architecture, config } = describeModel({ ...json, ...more });
    return architecture.parameters(config).map(({ name }) => name);
  };
  expect(names({}).filter((name) => name.endsWith(".bias"))).toEqual(["classifier.bias"]);
  expect(names({ attention_bias: true })).toContain("model.layers.1.attn.Wqkv.bias");
  expect(names({ mlp_bias: true })).toContain("model.layers.1.mlp.Wo.bias");
  expect(names({ norm_bias: true })).toContain("head.norm.bias");
  expect(names({ classifier_bias: true })).toContain("head.dense.bias");
});

test("scaled rotary positions and a layer list that does not fit are refused", () => {
  const scaled = { full_attention: { rope_theta: 160_000, rope_type: "yarn" }, sliding_attention: {} };
  expect(() => describeModel({ ...json, rope_parameters: scaled })).toThrow(/rope_type/);
  expect(() => describeModel({ ...json, layer_types: ["full_attention"] })).toThrow(/layer_types/);
});
