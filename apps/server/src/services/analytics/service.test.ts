import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";

let system: TestSystem;
let now = new Date("2026-11-22T12:00:00Z");
beforeAll(async () => {
  system = await startTestSystem({ services: ["analytics", "data-privacy"], clock: () => now });
});
afterAll(() => system?.stop());

const stored = (test_id: string, more: object = {}) => ({
  test_id,
  model_name: "distilbert",
  total_attacks: 10,
  vulnerabilities_found: 2,
  detection_rate: 0.8,
  ...more,
});

test("an empty system: no tests, rates are numbers, no model", async () => {
  const summary = await system.clients.analytics.summary();
  expect(summary).toMatchObject({ total_tests: 0, average_detection_rate: 0, model_performance: {}, summary: [] });
});

test("the same id twice is stored once", async () => {
  const body = stored("a", {
    model_name: "distilbert_trained",
    by_category: { jailbreak: { attacks: 10, detected: 8 } },
  });
  const first = await fetch(`${system.url("analytics")}/red-team/results`, post({ ...body, model_version: "2" }));
  expect(first.status).toBe(201);
  const again = await fetch(`${system.url("analytics")}/red-team/results`, post({ ...body, detection_rate: 0.1 }));
  expect(again.status).toBe(200);
  expect(await again.json()).toMatchObject({ test_id: "a", stored_at: "2026-11-22T12:00:00.000Z" });
  const { model_performance, total_tests } = await system.clients.analytics.summary();
  expect(total_tests).toBe(1);
  expect(model_performance["distilbert"]).toMatchObject({
    detection_rate: 0.8,
    tests: 1,
    attacks: 10,
    model_version: "2",
  });
});

test("averages weigh attacks; unlabelled tests count in no average", async () => {
  now = new Date("2026-11-23T12:00:00Z");
  const { analytics } = system.clients;
  await analytics.storeTest({
    body: stored("b", {
      model_name: "security_distilbert",
      model_version: "3",
      total_attacks: 30,
      detection_rate: 1,
      false_positive_rate: 0.1,
      total_benign: 30,
      by_category: { jailbreak: { attacks: 30, detected: 30 } },
    }),
  });
  await analytics.storeTest({ body: stored("c", { labelled: false, total_attacks: 0, detection_rate: 0.5 }) });
  await analytics.storeTest({
    body: stored("d", { model_name: "other", created_at: "2020-01-01T00:00:00Z", detection_rate: 0 }),
  });
  const summary = await analytics.summary();
  expect(summary.total_tests).toBe(4);
  expect(summary.average_detection_rate).toBeCloseTo((8 + 30 + 0) / 50);
  expect(summary.average_false_positive_rate).toBeCloseTo(0.1);
  expect(Object.keys(summary.model_performance)).toEqual(["distilbert", "other"]);
  expect(summary.model_performance["distilbert"]?.detection_rate).toBeCloseTo(0.95);
  expect(summary.summary.map((row) => row.test_id)).toEqual(["c", "b", "a", "d"]);
  expect(Object.keys((await analytics.summary({ query: { days: 30 } })).model_performance)).toEqual(["distilbert"]);
});

test("trends per day, and the version before this one per category", async () => {
  const { analytics } = system.clients;
  const { trends, summary_stats } = await analytics.trends({ query: { days: 30 } });
  expect(trends.map(({ date, detection_rate }) => [date, detection_rate])).toEqual([
    ["2026-11-22", 0.8],
    ["2026-11-23", 1],
  ]);
  expect(summary_stats).toMatchObject({ days: 2, tests: 2, attacks: 40 });
  expect(await analytics.comparison({ params: { name: "distilbert_trained" } })).toEqual({
    model_name: "distilbert",
    current: { version: "3", by_category: { jailbreak: { attacks: 30, detected: 30, detection_rate: 1 } } },
    previous: { version: "2", by_category: { jailbreak: { attacks: 10, detected: 8, detection_rate: 0.8 } } },
  });
});

test("evaluations come back newest first, in pages", async () => {
  const { analytics } = system.clients;
  const figures = { accuracy: 0.9, precision: 0.8, recall: 0.7, f1_score: 0.75 };
  for (const model_version of ["1", "2", "3"])
    await analytics.storePerformance({ body: { model_name: "distilbert", model_version, ...figures } });
  const first = await analytics.performance({ params: { name: "distilbert" }, query: { limit: 2 } });
  expect(first.performance.map((row) => row.model_version)).toEqual(["3", "2"]);
  const cursor = first.next_cursor ?? "";
  const rest = await analytics.performance({ params: { name: "distilbert" }, query: { limit: 2, cursor } });
  expect(rest).toMatchObject({ performance: [{ model_version: "1", ...figures }], next_cursor: null });
  await expect(analytics.performance({ params: { name: "x" }, query: { cursor: "x'" } })).rejects.toThrow(/cursor/);
});

test("health: what runs is healthy, what does not answer is down, and overall says so", async () => {
  const { overall, services } = await system.clients.analytics.systemHealth();
  const status = Object.fromEntries(services.map((service) => [service.name, service.status]));
  expect(status).toMatchObject({
    analytics: "healthy",
    "data-privacy": "healthy",
    database: "healthy",
    "model-api": "down",
  });
  expect(overall).toBe("down");
  expect(services.find(({ name }) => name === "model-api")?.latency_ms).toBeNull();
});

const post = (body: object): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
