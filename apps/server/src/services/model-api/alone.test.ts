// The Model API by itself: without a registry, with a short queue, and what it leaves behind when it stops.
import fs from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../platform/db/database.ts";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";
import { makeToyModels, toyAttack } from "../../testing/toy-models.ts";

let models = "";
let system: TestSystem;
const api = () => system.clients["model-api"];

beforeAll(async () => {
  models = await makeToyModels();
  system = await startTestSystem({
    services: ["model-api"],
    environment: {
      LOG_LEVEL: "silent",
      MLSEC_SHIPPED_MODELS: models,
      MLSEC_INFER_THREADS: "1",
      MLSEC_MAX_WAITING: "1",
      MLSEC_MAX_TEXT_CHARS: "300000",
    },
  });
});
afterAll(() => fs.rm(models, { recursive: true, force: true }));

test("without a registry the shipped detector answers, and says what it is", async () => {
  expect(await api().predict({ body: { text: toyAttack } })).toMatchObject({
    is_attack: true,
    model_version: "shipped",
  });
  const state = await api().getModel({ params: { name: "distilbert" } });
  expect(state.error).toContain("registry does not answer");
  expect((await fetch(`${system.url("model-api")}/ready`)).status).toBe(200);
});

test("a full queue is 429 with Retry-After, and drains", async () => {
  const post = (text: string) =>
    fetch(`${system.url("model-api")}/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
    });
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, i) => post(`${"the quick brown fox sat by a river. ".repeat(6_000)}${i}`)),
  );
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 200).length + refused.length).toBe(6);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.headers.get("retry-after")).toBe("1");
  expect(await refused[0]?.json()).toMatchObject({ code: "OVERLOADED" });
  expect((await post("free again")).status).toBe(200);
});

test("verdicts given just before the end are in the database after it", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.push((await api().predict({ body: { text: "free again" } })).verdict_id);
  await system.stop();
  const db = openDatabase(system.db.connection);
  try {
    const rows = await db.query("select id from verdicts where id = any($1::uuid[])", [ids]);
    expect(rows).toHaveLength(3);
  } finally {
    await db.close();
  }
});
