import fs from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";
import { makeToyModels, toyAttack, toyBenign } from "../../testing/toy-models.ts";

let models = "";
let system: TestSystem;
beforeAll(async () => {
  models = await makeToyModels(["distilbert"]);
  system = await startTestSystem({
    services: ["model-api", "mlflow", "training", "analytics", "business-metrics", "red-team"],
    environment: { MLSEC_SHIPPED_MODELS: models, MLSEC_INFER_THREADS: "1" },
  });
});
afterAll(async () => {
  await system?.stop();
  await fs.rm(models, { recursive: true, force: true });
});

test("a new system has no verdicts and no latency, only its self-test", async () => {
  expect(await system.clients["business-metrics"].kpis()).toMatchObject({
    days: 30,
    verdicts: 0,
    attacks_flagged: 0,
    attack_share: null,
    verdict_latency_ms: null,
    feedback: { total: 0, disagreed: 0 },
    tests: 1,
    training_jobs: { completed: 0, failed: 0 },
  });
});

test("figures follow the records; tests of detectors are no traffic", async () => {
  const api = system.clients["model-api"];
  const { verdict_id } = await api.predict({ body: { text: toyAttack } });
  for (const text of [toyBenign, `${toyBenign} again`, "tea"]) await api.predict({ body: { text } });
  await api.feedback({ params: { id: verdict_id }, body: { label: "benign" } });
  await system.clients["red-team"].test({ body: { test_texts: [toyAttack] } });
  const kpis = await system.clients["business-metrics"].kpis({ query: { days: 1 } });
  expect(kpis).toMatchObject({
    verdicts: 4,
    attacks_flagged: 1,
    attack_share: 0.25,
    feedback: { total: 1, disagreed: 1 },
    tests: 2,
  });
  expect(kpis.verdict_latency_ms?.p99).toBeGreaterThan(0);
  const { daily } = await system.clients["business-metrics"].daily({ query: { days: 7 } });
  expect(daily.length).toBe(8);
  expect(daily.at(-1)).toMatchObject({ date: new Date().toISOString().slice(0, 10), verdicts: 4, attacks_flagged: 1 });
});
