import { expect, test } from "vitest";
import type { ParameterSpec } from "../models/architecture.ts";
import { learningRateAt, resolveTrainConfig } from "./config.ts";
import { createDropoutPool } from "./dropout.ts";
import { createOptimiser } from "./optimiser.ts";
import { Parameters } from "./parameters.ts";
import { labelWeights, softTargets, splitByGroup } from "./rows.ts";

const table: ParameterSpec = { name: "words", shape: [4, 2], fresh: "normal", table: true, layer: -1 };
const bias: ParameterSpec = { name: "bias", shape: [2], fresh: "zeros" };
const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, maxGradNorm: 1, decayOf: () => 0 };

test("only touched embedding rows move, repeated tokens add up, and clipping bounds the norm", () => {
  const parameters = new Parameters([table, bias]);
  parameters.put(table, new Float32Array(8).fill(1));
  parameters.put(bias, Float32Array.of(0, 0));
  const optimiser = createOptimiser(parameters, ["words", "bias"], settings);
  const rows = { table: "words", rows: Int32Array.of(2, 0, 2), data: Float32Array.of(1, 1, 0, 0, 2, 2) };
  optimiser.add({ gradients: new Map([["bias", Float32Array.of(4, 0)]]), rowGradients: [rows] });
  expect(optimiser.apply(0.1, 1)).toBeCloseTo(Math.sqrt(9 + 9 + 16), 5);
  const words = parameters.get("words")?.data ?? [];
  expect([...words].map((value) => Math.round(value * 10) / 10)).toEqual([1, 1, 1, 1, 0.9, 0.9, 1, 1]);
  expect(parameters.get("bias")?.data[0]).toBeCloseTo(-0.1, 5);
  expect(optimiser.moments.get("words")?.m[4]).toBeCloseTo((0.1 * 3) / Math.sqrt(34), 5);
});

test("the learning rate rises, then falls to nothing", () => {
  const config = resolveTrainConfig({ warmupRatio: 0.1, learningRate: 1 });
  const curve = Array.from({ length: 101 }, (_, step) => learningRateAt(config, step, 100));
  expect(Math.max(...curve)).toBe(1);
  expect(curve.indexOf(1)).toBe(10);
  expect(curve[0]).toBeCloseTo(1 / 11);
  expect(curve[100]).toBe(0);
  expect(learningRateAt({ ...config, schedule: "cosine" }, 55, 100)).toBeCloseTo(0.5);
});

test("masks keep the mean and depend on step and site", () => {
  const pool = createDropoutPool(1);
  const mask = pool.at(3, 0).take("dropout.1", 0.1, 10_000);
  expect(mask.reduce((sum, value) => sum + value, 0) / mask.length).toBeCloseTo(1, 1);
  expect(createDropoutPool(1).at(3, 0).take("dropout.1", 0.1, 100)).toEqual(mask.subarray(0, 100));
  expect(pool.at(4, 0).take("dropout.1", 0.1, 100)).not.toEqual(mask.subarray(0, 100));
});

test("soft targets sum to the share of their row", () => {
  const targets = softTargets([1, 0], Float64Array.of(1, 3), { smoothing: 0.1, batchWeight: 4 });
  [0.0375, 0.7125, 0.2375, 0.0125].forEach((value, i) => expect(targets[i]).toBeCloseTo(value, 6));
});

test("balanced weights favour the rare label and average to one", () => {
  const rows = [0, 0, 0, 1].map((label) => ({ ids: new Int32Array(), label, isAttack: label === 0 }));
  const config = resolveTrainConfig({ labels: ["a", "b"], classWeights: "balanced" });
  const [common = 0, rare = 0] = labelWeights(rows, config);
  expect(rare / common).toBeCloseTo(Math.sqrt(3));
  expect((3 * common + rare) / 4).toBeCloseTo(1);
});

test("a group never stands on both sides", () => {
  const rows = Array.from({ length: 200 }, (_, i) => ({ text: "", label: "a", group: Math.floor(i / 5) }));
  const { train, held } = splitByGroup(rows, { fraction: 0.1, most: 1000, seed: 1 });
  expect(held).toHaveLength(20);
  const groups = new Set(held.map((i) => rows[i]?.group));
  expect(train.some((i) => groups.has(rows[i]?.group))).toBe(false);
});
