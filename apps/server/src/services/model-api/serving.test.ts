// Several models at once: a cascade, a memory budget that evicts and loads again, and swaps under fire over HTTP.
import fs from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import {
  cascadeFile,
  defaultFeatures,
  finishDetector,
  memberOf,
  readManifest,
  seededRandom,
  toyWords,
  trainLinear,
  saveLinear,
} from "@mlsec/engine";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";
import { makeToyModels, toyAttack, toyBenign } from "../../testing/toy-models.ts";

let models = "";
let system: TestSystem;
const api = () => system.clients["model-api"];
const filler = "the quick brown fox sat by a river and thought about tea bread and rain".split(" ");

/** A linear toy of about 2.6 MB once loaded. */
async function makeLinear(name: string): Promise<void> {
  const random = seededRandom(3);
  const kinds = [...Object.keys(toyWords), "benign", "benign", "benign", "benign"];
  const rows = Array.from({ length: 240 }, (_, i) => {
    const label = kinds[i % kinds.length] ?? "benign";
    const length = 4 + Math.floor(random() * 12);
    const plain = Array.from({ length }, () => filler[Math.floor(random() * filler.length)]).join(" ");
    return { text: `${plain} ${(toyWords[label] ?? []).join(" ")}`, label };
  });
  const features = { ...defaultFeatures, bits: 17 };
  const { model } = await trainLinear(rows, { features, epochs: 4, seed: 1 });
  await saveLinear(path.join(models, name), model);
  await finishDetector(path.join(models, name), rows, { name, fpr: 0.05, seed: 1, longTexts: 4 });
}

beforeAll(async () => {
  models = await makeToyModels(["distilbert"]);
  for (const name of ["alpha", "beta", "gamma"]) await makeLinear(name);
  const [student, full] = await Promise.all(
    ["alpha", "distilbert"].map((name) => readManifest(path.join(models, name))),
  );
  if (!student || !full) throw new Error("no toy");
  const spec = {
    format: 1,
    student: memberOf(student),
    full: memberOf(full),
    band: { lower: 0.9 * Math.min(student.threshold, full.threshold), upper: null, maxChars: 100 },
    target: 0.995,
    figures: {},
    createdAt: new Date(0).toISOString(),
  };
  await fs.writeFile(path.join(models, "distilbert", cascadeFile), JSON.stringify(spec));
  system = await startTestSystem({
    services: ["model-api", "model-cache", "mlflow"],
    environment: { MLSEC_SHIPPED_MODELS: models, MLSEC_INFER_THREADS: "1", MLSEC_MODEL_MEMORY_MB: "11" },
  });
});
afterAll(async () => {
  await system.stop();
  await fs.rm(models, { recursive: true, force: true });
});

test("the verdict says who answered, the model shows its cascade, and it is counted", async () => {
  const clean = await api().predict({ body: { text: toyBenign } });
  expect(clean).toMatchObject({ answered_by: "student", is_attack: false, model_name: "distilbert" });
  const attack = await api().predict({ body: { text: toyAttack } });
  expect(attack).toMatchObject({ answered_by: "full", is_attack: true });
  expect(clean.threshold).toBe(attack.threshold);
  const again = await api().predict({ body: { text: toyBenign } });
  expect(again).toMatchObject({ answered_by: "student", from_cache: true });
  const state = await api().getModel({ params: { name: "distilbert" } });
  expect(state.cascade).toMatchObject({ student: "alpha", upper: null, answered: { student: 1, full: 1 } });
  const metrics = await (await fetch(`${system.url("model-api")}/metrics`)).text();
  expect(metrics).toContain(
    'mlsec_cascade_verdicts_total{model="distilbert",answered_by="student",service="model-api"} 1',
  );
  const alone = await api().predict({ body: { text: toyBenign, model_name: "beta" } });
  expect(alone.answered_by).toBeUndefined();
});

test("the full detector can be asked for alone, and its answer is not taken for the cascade's", async () => {
  const text = `${toyBenign}, and then it slept`;
  const whole = await api().predict({ body: { text, cascade: false } });
  expect(whole).toMatchObject({ is_attack: false, from_cache: false });
  expect(whole.answered_by).toBeUndefined();
  const usual = await api().predict({ body: { text } });
  expect(usual).toMatchObject({ answered_by: "student", from_cache: false });
  const again = await api().predict({ body: { text, cascade: false } });
  expect(again).toMatchObject({ from_cache: false, attack_probability: whole.attack_probability });
});

test("an explanation is the full detector's from end to end", async () => {
  const before = (await api().getModel({ params: { name: "distilbert" } })).cascade?.answered;
  const { tokens, attack_probability } = await api().explain({ body: { text: toyBenign } });
  expect(tokens).toHaveLength(toyBenign.split(" ").length);
  expect(attack_probability).not.toBe((await api().predict({ body: { text: toyBenign } })).attack_probability);
  expect((await api().getModel({ params: { name: "distilbert" } })).cascade?.answered).toEqual(before);
});

test("a linear model has no gradient to explain by", async () => {
  const body = { text: toyAttack, model_name: "alpha", method: "gradient" as const };
  await expect(api().explain({ body })).rejects.toMatchObject({ code: "CONFLICT" });
});

test("the budget: what does not fit waits, the least recently used makes room, an evicted model comes back", async () => {
  // The default and two of the three linear ones fit; the start left the third for later.
  const stateOf = async (name: string): Promise<string> => (await api().getModel({ params: { name } })).state;
  expect(await stateOf("gamma")).toBe("unloaded");
  expect((await api().getModel({ params: { name: "gamma" } })).error).toContain("MLSEC_MODEL_MEMORY_MB");
  await api().predict({ body: { text: toyAttack, model_name: "alpha" } });
  const late = await api().predict({ body: { text: toyAttack, model_name: "gamma" } });
  expect(late.model_name).toBe("gamma");
  expect([await stateOf("alpha"), await stateOf("beta"), await stateOf("gamma")]).toEqual([
    "loaded",
    "unloaded",
    "loaded",
  ]);
  const stats = await system.clients["model-cache"].stats({});
  expect(stats).toMatchObject({ budget_bytes: 11 * 2 ** 20, evictions: 1 });
  expect(stats.memory_bytes).toBeLessThanOrEqual(11 * 2 ** 20);
  expect(await stateOf("distilbert")).toBe("loaded");
});

test("what a person unloaded stays unloaded, evicted or not", async () => {
  for (const name of ["beta", "alpha"]) {
    expect((await api().unloadModel({ params: { name } })).state).toBe("unloaded");
    const refused = api().predict({ body: { text: toyAttack, model_name: name } });
    await expect(refused).rejects.toMatchObject({ code: "MODEL_NOT_LOADED" });
  }
  await api().loadModel({ params: { name: "beta" } });
});

test("a model larger than what may be freed is 507 and changes nothing", async () => {
  await fs.cp(path.join(models, "alpha"), path.join(models, "huge"), { recursive: true });
  await fs.truncate(path.join(models, "huge", "linear.bin"), 11 * 2 ** 20);
  const before = await api().listModels({});
  const error: unknown = await api()
    .loadModel({ params: { name: "huge" } })
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({ code: "MODEL_MEMORY", status: 507 });
  await fs.rm(path.join(models, "huge"), { recursive: true });
  const after = await api().listModels({});
  expect(after.models.find(({ name }) => name === "distilbert")?.state).toBe("loaded");
  expect(after.memory.used_bytes).toBeLessThanOrEqual(before.memory.used_bytes);
  expect((await api().predict({ body: { text: toyAttack } })).is_attack).toBe(true);
});

test("requests over HTTP while the model is reloaded and promoted: not one fails", async () => {
  const registry = system.clients.mlflow;
  const name = "security_distilbert";
  await registry.createRegisteredModel({ body: { name } });
  for (let i = 0; i < 2; i++) await registry.createModelVersion({ body: { name, source: "file:models/distilbert" } });
  const statuses = new Map<number, number>();
  const versions = new Set<string>();
  let isDone = false;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const clients = Array.from({ length: 16 }, async (_, id) => {
    for (let i = 0; !isDone; i++) {
      const { status, body } = await post(agent, JSON.stringify({ text: `${toyAttack} ${id} ${i}` }));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      versions.add((JSON.parse(body) as { model_version: string }).model_version);
    }
  });
  for (let i = 0; i < 12; i++) {
    await registry.setAlias({ body: { name, alias: "champion", version: String(1 + (i % 2)) } });
    await api().reloadModel({ params: { name: "distilbert" } });
  }
  isDone = true;
  await Promise.all(clients);
  agent.destroy();
  expect([...statuses.keys()]).toEqual([200]);
  expect(statuses.get(200)).toBeGreaterThan(50);
  expect([...versions].sort()).toEqual(["1", "2"]);
});

test("a cascade fitted on other weights is left out, and the model says so", async () => {
  const file = path.join(models, "distilbert", cascadeFile);
  const spec = JSON.parse(await fs.readFile(file, "utf8")) as { full: { sha256: string } };
  await fs.writeFile(file, JSON.stringify({ ...spec, full: { ...spec.full, sha256: "0".repeat(64) } }));
  const state = await api().reloadModel({ params: { name: "distilbert" } });
  expect(state).toMatchObject({ state: "loaded", cascade: null });
  expect(state.error).toContain("without its cascade");
  expect((await api().predict({ body: { text: toyBenign } })).answered_by).toBeUndefined();
});

const post = (agent: http.Agent, body: string) =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
    const request = http.request(
      `${system.url("model-api")}/predict`,
      { agent, method: "POST", headers },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    request.on("error", reject).end(body);
  });
