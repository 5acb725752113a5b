import fs from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeToyModels, toyAttack, toyBenign } from "../../../testing/toy-models.ts";
import { createInference, type Inference } from "./inference.ts";

let models = "";
const folder = (): string => path.join(models, "distilbert");
const crashing = new URL("./crashing-worker.ts", import.meta.url);

beforeAll(async () => {
  models = await makeToyModels();
});
afterAll(() => fs.rm(models, { recursive: true, force: true }));

const open = (options: Partial<Parameters<typeof createInference>[0]> = {}): Inference =>
  createInference({ threads: 1, clock: () => new Date(0), onCrash: () => undefined, ...options });

test("closing waits for the batch under way and frees everything", async () => {
  const inference = open();
  await inference.load("a", { folder: folder() });
  const under = inference.verdicts(
    "a",
    Array.from({ length: 64 }, (_, i) => `${toyBenign} ${i}`),
  );
  const closed = inference.close();
  expect(await under).toHaveLength(64);
  await closed;
  await expect(inference.verdicts("a", [toyBenign])).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await inference.close();
});

test("a released detector is gone, another stays", async () => {
  const inference = open();
  await Promise.all(["a", "b"].map((key) => inference.load(key, { folder: folder() })));
  await inference.release("a");
  await expect(inference.verdicts("a", [toyBenign])).rejects.toBeInstanceOf(AppError);
  expect((await inference.verdicts("b", [toyAttack]))[0]?.isAttack).toBe(true);
  await expect(inference.load("c", { folder: path.join(models, "none") })).rejects.toBeInstanceOf(AppError);
  await inference.close();
});

test("after a crash the worker comes back once with its detectors, then stays down and says so", async () => {
  const crashes: boolean[] = [];
  const inference = open({ entry: crashing, onCrash: (_, again) => crashes.push(again) });
  await inference.load("a", { folder: folder() });
  await expect(inference.verdicts("a", ["crash"])).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(inference.trouble()).toBeUndefined();
  expect((await inference.verdicts("a", [toyAttack]))[0]?.isAttack).toBe(true);
  await expect(inference.verdicts("a", ["crash"])).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(crashes).toEqual([true, false]);
  expect(inference.trouble()).toContain("crashed");
  await inference.close();
});
