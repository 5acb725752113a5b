import { execFile as run, spawnSync } from "node:child_process";
import fs from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { AppError } from "@mlsec/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";
import { makeToyModels, toyAttack, toyBenign } from "../../testing/toy-models.ts";
import { binaryOf } from "./tensors.ts";

const execFile = promisify(run);
const hasTriton = spawnSync("python3", ["-c", "import tritonclient.http"]).status === 0;

let models = "";
let system: TestSystem;
const serving = () => system.clients["model-serving"];
const cache = () => system.clients["model-cache"];

beforeAll(async () => {
  models = await makeToyModels(["distilbert", "linear"]);
  system = await startTestSystem({
    services: ["model-api", "model-cache", "model-serving", "mlflow"],
    environment: { MLSEC_SHIPPED_MODELS: models, MLSEC_INFER_THREADS: "1" },
  });
});
afterAll(async () => {
  await system.stop();
  await fs.rm(models, { recursive: true, force: true });
});

const texts = (...data: string[]) => ({ inputs: [{ name: "text", shape: [data.length], datatype: "BYTES", data }] });

test("metadata and readiness as the protocol names them", async () => {
  expect(await serving().server()).toMatchObject({ name: "mlsec", extensions: ["binary_tensor_data"] });
  expect(await serving().v2Ready()).toEqual({ ready: true });
  expect(await serving().modelReady({ params: { model: "distilbert" } })).toEqual({ name: "distilbert", ready: true });
  const metadata = await serving().model({ params: { model: "distilbert_trained" } });
  expect(metadata).toMatchObject({ versions: ["1"], inputs: [{ name: "text", shape: [-1], datatype: "BYTES" }] });
  await expect(serving().modelReady({ params: { model: "bert-base" } })).rejects.toBeInstanceOf(AppError);
});

test("inference in JSON: label, score and probabilities per text", async () => {
  const answer = await serving().infer({
    params: { model: "distilbert" },
    body: { id: "7", ...texts(toyAttack, toyBenign) },
  });
  expect(answer).toMatchObject({ model_name: "distilbert", model_version: "1", id: "7" });
  const [label, score, probabilities] = answer.outputs;
  expect(label).toMatchObject({ name: "label", shape: [2], data: ["prompt_injection", "benign"] });
  expect(score?.data[0]).toBeGreaterThan(0.5);
  expect(probabilities).toMatchObject({ shape: [2, 5], datatype: "FP32" });
  const some = { ...texts("hi"), outputs: [{ name: "score" }] };
  const chosen = await serving().inferVersion({ params: { model: "linear", version: "1" }, body: some });
  expect(chosen.outputs.map(({ name }) => name)).toEqual(["score"]);
});

test("the binary extension both ways", async () => {
  const data = binaryOf({ name: "text", shape: [2], datatype: "BYTES", data: [toyAttack, "tea 🍵"] });
  const header = JSON.stringify({
    inputs: [{ name: "text", shape: [2, 1], datatype: "BYTES", parameters: { binary_data_size: data.byteLength } }],
    outputs: [{ name: "label", parameters: { binary_data: true } }, { name: "score" }],
  });
  const answer = await fetch(`${system.url("model-serving")}/v2/models/distilbert/infer`, {
    method: "POST",
    headers: { "inference-header-content-length": String(Buffer.byteLength(header)) },
    body: Buffer.concat([Buffer.from(header), data]),
  });
  expect(answer.status).toBe(200);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const split = Number(answer.headers.get("inference-header-content-length"));
  const described = JSON.parse(bytes.subarray(0, split).toString());
  expect(described.outputs[0]).toMatchObject({
    name: "label",
    parameters: { binary_data_size: bytes.byteLength - split },
  });
  expect(described.outputs[1].data).toHaveLength(2);
  expect(bytes.subarray(split + 4, split + 4 + bytes.readUInt32LE(split)).toString()).toBe("prompt_injection");
});

test("a JSON call that names no content type, and errors in the protocol's form", async () => {
  const post = (model: string) =>
    fetch(`${system.url("model-serving")}/v2/models/${model}/infer`, {
      method: "POST",
      body: Buffer.from(JSON.stringify(texts(toyAttack))),
    });
  expect((await (await post("distilbert")).json()).outputs[0].data).toEqual(["prompt_injection"]);
  expect(await (await post("nope")).json()).toMatchObject({ code: "MODEL_NOT_FOUND", error: expect.any(String) });
  expect((await post("%ff")).status).toBe(400);
});

test("wrong calls are problems that say why", async () => {
  const infer = (model: string, body: object) =>
    serving().infer({ params: { model }, body: body as ReturnType<typeof texts> });
  await expect(infer("nope", texts("a"))).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  await expect(infer("bert-base", texts("a"))).rejects.toMatchObject({ code: "MODEL_NOT_LOADED" });
  await expect(infer("distilbert", texts("x".repeat(200_001)))).rejects.toMatchObject({ code: "TEXT_TOO_LONG" });
  const inputs = [{ name: "text", shape: [1], datatype: "FP32", data: [1] }];
  await expect(infer("distilbert", { inputs })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(infer("distilbert", { ...texts("a"), outputs: [{ name: "logits" }] })).rejects.toThrow("probabilities");
  for (const length of ["1", "99999", "x"]) {
    const answer = await fetch(`${system.url("model-serving")}/v2/models/distilbert/infer`, {
      method: "POST",
      headers: { "inference-header-content-length": length },
      body: "{}",
    });
    expect([answer.status, (await answer.json()).code]).toEqual([400, "INVALID_INPUT"]);
  }
});

test("the cache service shows and steers what the Model API holds", async () => {
  await system.clients["model-api"].predict({ body: { text: "twice" } });
  await system.clients["model-api"].predict({ body: { text: "twice" } });
  const stats = await cache().stats();
  expect(stats.verdicts.hits).toBeGreaterThan(0);
  expect(stats.memory_bytes).toBeGreaterThan(0);
  expect((await cache().evictVerdicts({ query: {} })).evicted).toBeGreaterThan(0);
  expect(await cache().evictModel({ params: { name: "linear" } })).toMatchObject({ state: "unloaded" });
  const warmed = await cache().warm({ body: { models: ["linear", "distilbert"] } });
  expect(warmed.models.map(({ state }) => state)).toEqual(["loaded", "loaded"]);
});

const whyNot = hasTriton ? "" : " (skipped: python3 has no tritonclient here)";
test.skipIf(!hasTriton)(`the real Triton client${whyNot}`, async () => {
  const script = path.join(import.meta.dirname, "triton-wire.py");
  const address = system.url("model-serving").replace("http://", "");
  const child = execFile("python3", [script, address, toyAttack, toyBenign], { timeout: 50_000 });
  expect((await child).stdout).toContain("fine");
});
