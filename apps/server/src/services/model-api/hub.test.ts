import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { AppError } from "@mlsec/contracts";
import { readSafetensors, readTorch } from "@mlsec/engine";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type HubServer, startHub } from "../../../../../packages/engine/src/hub/testing/hub-server.ts";
import { encodeTorch } from "../../../../../packages/engine/src/weights/testing/torch-file.ts";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";
import { makeToyModels } from "../../testing/toy-models.ts";

const references = path.resolve(import.meta.dirname, "../../../../../packages/engine/fixtures/parity");
const commit = "00112233445566778899aabbccddeeff00112233";
const map = {
  injection: "prompt_injection",
  hack: "jailbreak",
  leak: "system_extraction",
  code: "code_injection",
  fine: "benign",
} as const;

let folder = "";
let system: TestSystem;
let hub: HubServer;
const api = () => system.clients["model-api"];
const codeOf = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => "none",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

interface Expected {
  readonly texts: readonly {
    readonly text: string;
    readonly full_length: number;
    readonly logits: readonly number[];
  }[];
}
const expectedOf = async (name: string): Promise<Expected["texts"]> =>
  (JSON.parse(await fs.readFile(path.join(references, name, "expected.json"), "utf8")) as Expected).texts;
const softmax = (logits: readonly number[]): number[] => {
  const powers = logits.map((logit) => Math.exp(logit));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
};

/** A reference model as another project would publish it: its own labels, its weights as torch saves them. */
async function publish(
  name: string,
  { isTorch = false, problem = "single_label_classification" } = {},
): Promise<string> {
  const target = path.join(folder, "models", `${name}-${isTorch ? "bin" : "safe"}-${problem}`);
  await fs.cp(path.join(references, name), target, { recursive: true });
  for (const file of ["expected.json", "gradients.safetensors"]) await fs.rm(path.join(target, file));
  for (const file of await fs.readdir(target)) await fs.chmod(path.join(target, file), 0o644);
  const config = JSON.parse(await fs.readFile(path.join(target, "config.json"), "utf8")) as Record<string, unknown>;
  const id2label = Object.fromEntries(Object.keys(map).map((label, i) => [i, label]));
  await fs.writeFile(path.join(target, "config.json"), JSON.stringify({ ...config, id2label, problem_type: problem }));
  if (isTorch) {
    const weights = path.join(target, "model.safetensors");
    const { tensors } = await readSafetensors(weights);
    const plain = Object.fromEntries([...tensors].map(([key, t]) => [key, { shape: t.shape, data: t.toFloat32() }]));
    await fs.writeFile(path.join(target, "pytorch_model.bin"), encodeTorch(plain));
    await fs.rm(weights);
  }
  return path.basename(target);
}

/** The weights of a folder without the head. */
async function headless(from: string): Promise<Uint8Array> {
  const { tensors } = await readTorch(path.join(from, "pytorch_model.bin"));
  const encoder = [...tensors].filter(([key]) => !key.includes("classifier"));
  return encodeTorch(Object.fromEntries(encoder.map(([key, t]) => [key, { shape: t.shape, data: t.toFloat32() }])));
}

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "mlsec-hub-system-"));
  await fs.mkdir(path.join(folder, "models"));
  const published = path.join(folder, "models", await publish("distilbert", { isTorch: true }));
  const names = await fs.readdir(published);
  const files = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await fs.readFile(path.join(published, name))] as const)),
  );
  hub = await startHub({
    "acme/guard": { commit, files, large: ["pytorch_model.bin"] },
    "acme/secret": { commit, files, token: "hf_token", large: ["pytorch_model.bin"] },
    "acme/strange": { commit, files: { "config.json": Buffer.from('{"model_type":"mamba"}') } },
    "acme/headless": { commit, files: { ...files, "pytorch_model.bin": await headless(published) } },
    "acme/broken": { commit, files: { "config.json": files["config.json"] ?? new Uint8Array() } },
  });
  system = await startTestSystem({
    services: ["model-api", "mlflow"],
    environment: {
      MLSEC_SHIPPED_MODELS: await makeToyModels(["distilbert"]),
      MLSEC_MODEL_DIRS: path.join(folder, "models"),
      MLSEC_INFER_THREADS: "1",
      HF_ENDPOINT: hub.endpoint,
      HF_TOKEN: "hf_token",
      HF_HUB_OFFLINE: "0",
    },
  });
});
afterAll(async () => {
  await system.stop();
  await hub.close();
  await fs.rm(folder, { recursive: true, force: true });
});
afterEach(() => {
  hub.mood = () => undefined;
});

describe.each([
  { name: "bert", isTorch: true },
  { name: "roberta", isTorch: false },
  { name: "xlm-roberta", isTorch: true },
  { name: "deberta-v3", isTorch: true },
  { name: "electra", isTorch: false },
  { name: "mpnet", isTorch: false },
  { name: "modernbert", isTorch: true },
  { name: "gpt2", isTorch: false },
  { name: "t5", isTorch: true },
])("$name of another project, from a folder (torch: $isTorch)", ({ name, isTorch }) => {
  test("serves with its own labels, as the original answers", async () => {
    const model_name = `file:${await publish(name, { isTorch })}`;
    expect(await codeOf(api().loadModel({ params: { name: model_name } }))).toBe("LABELS_UNMAPPED");
    const state = await api().loadModel({ params: { name: model_name }, body: { label_map: map } });
    expect(state).toMatchObject({ state: "loaded", calibrated: false, labels: Object.keys(map) });
    let compared = 0;
    for (const { text, full_length, logits } of await expectedOf(name)) {
      const verdict = await api().predict({ body: { text, model_name } });
      if (verdict.windows !== 1 || full_length > 128) continue; // other readings of the text were judged too
      compared++;
      const expected = softmax(logits);
      for (const [i, label] of Object.keys(map).entries()) {
        expect(verdict.probabilities?.[label], `${text} ${label}`).toBeCloseTo(expected[i] ?? Number.NaN, 4);
      }
      expect(verdict.attack_probability).toBeCloseTo(1 - (expected[4] ?? 0), 4);
      expect(verdict).toMatchObject({ is_attack: (expected[4] ?? 0) <= 0.5, threshold: 0.5 });
    }
    expect(compared).toBeGreaterThan(5);
    await api().unloadModel({ params: { name: model_name } });
  });
});

test("several labels per text: each probability is its own sigmoid, the likeliest attack decides", async () => {
  const model_name = `file:${await publish("bert", { isTorch: true, problem: "multi_label_classification" })}`;
  await api().loadModel({ params: { name: model_name }, body: { label_map: map } });
  const [first] = await expectedOf("bert");
  const verdict = await api().predict({ body: { text: first?.text ?? "", model_name } });
  const expected = (first?.logits ?? []).map((logit) => 1 / (1 + Math.exp(-logit)));
  Object.keys(map).forEach((label, i) => expect(verdict.probabilities?.[label]).toBeCloseTo(expected[i] ?? 0, 4));
  expect(verdict.attack_probability).toBeCloseTo(Math.max(...expected.slice(0, 4)), 4);
  await api().unloadModel({ params: { name: model_name } });
});

test("a hub detector is fetched, pinned, and answers; the second load needs no hub", async () => {
  const name = "hf:acme/guard";
  expect(await codeOf(api().predict({ body: { text: "x", model_name: name } }))).toBe("MODEL_NOT_LOADED");
  expect(hub.requests).toHaveLength(0); // asking for a verdict fetches nothing
  const state = await api().loadModel({ params: { name }, body: { label_map: map } });
  expect(state).toMatchObject({
    name,
    state: "loaded",
    source: `hf:acme/guard@${commit}`,
    version: commit.slice(0, 12),
  });
  const [first] = await expectedOf("distilbert");
  const verdict = await api().predict({ body: { text: first?.text ?? "", model_name: name } });
  expect(verdict.attack_probability).toBeCloseTo(1 - (softmax(first?.logits ?? [])[4] ?? 0), 4);
  expect(verdict).toMatchObject({ model_name: name, model_version: commit.slice(0, 12), calibrated: false });
  await api().unloadModel({ params: { name } });
  const before = hub.requests.length;
  await api().loadModel({ params: { name }, body: { label_map: map } });
  expect(hub.requests).toHaveLength(before);
  await api().unloadModel({ params: { name } });
  expect(await codeOf(api().loadModel({ params: { name } }))).toBe("LABELS_UNMAPPED");
});

test("a slow download is answered 202, shows its progress, and can be called off", async () => {
  hub.mood = ({ server }) => (server === "cdn" ? { kind: "slow", pauseMs: 1500 } : undefined);
  const name = "hf:acme/secret";
  const url = `${system.url("model-api")}/models/${encodeURIComponent(name)}`;
  const answer = await fetch(`${url}/load`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ label_map: map }),
  });
  expect(answer.status).toBe(202);
  const state = await api().getModel({ params: { name } });
  expect(state).toMatchObject({ state: "loading", source: "hf:acme/secret@main" });
  expect(state.download?.done_bytes).toBeGreaterThan(0);
  expect(state.download?.done_bytes).toBeLessThan(state.download?.total_bytes ?? 0);
  expect(await api().unloadModel({ params: { name } })).toMatchObject({ state: "unloaded" });
  hub.mood = () => undefined;
  await new Promise((resolve) => setTimeout(resolve, 100)); // until the download has noticed
  expect(await codeOf(api().getModel({ params: { name } }))).toBe("MODEL_NOT_FOUND");
  expect(await api().loadModel({ params: { name }, body: { label_map: map } })).toMatchObject({ state: "loaded" });
  expect(hub.requests.filter(({ server, authorization }) => server === "cdn" && authorization !== undefined)).toEqual(
    [],
  );
});

test("what could never be served is refused before its weights are fetched; a missing head never answers", async () => {
  const load = (name: string, label_map?: typeof map) =>
    codeOf(api().loadModel({ params: { name }, body: label_map ? { label_map } : {} }));
  hub.requests.length = 0;
  expect(await load("hf:acme/guard@0011223344556677")).toBe("WEIGHTS_UNREACHABLE"); // a commit that is not whole is a branch
  expect(await load("hf:acme/headless")).toBe("LABELS_UNMAPPED");
  expect(await load("hf:acme/strange", map)).toBe("CONFLICT");
  expect(hub.requests.filter(({ path: asked }) => asked.includes("pytorch_model.bin"))).toEqual([]);
  expect(await load("hf:acme/headless", map)).toBe("CONFLICT");
  expect(await codeOf(api().predict({ body: { text: "x", model_name: "hf:acme/headless" } }))).toBe("MODEL_NOT_LOADED");
});

test("what cannot be fetched says how to place the files", async () => {
  const load = (name: string) => api().loadModel({ params: { name }, body: { label_map: map } });
  for (const name of ["hf:acme/none", "hf:acme/broken", "bert-base"]) {
    await expect(load(name), name).rejects.toMatchObject({
      code: "WEIGHTS_UNREACHABLE",
      message: expect.stringMatching(/config\.json.*MLSEC_MODEL_DIRS/),
    });
  }
  const { models } = await api().listModels();
  expect(models.filter(({ name }) => name.startsWith("hf:acme/none"))).toEqual([]);
  expect(models.find(({ name }) => name === "bert-base_pretrained")?.source).toMatch(
    /^hf:google-bert\/bert-base-uncased@[0-9a-f]{40}$/,
  );
});

test("content that does not match its checksum is refused", async () => {
  await fs.rm(path.join(system.dataDir, "hub"), { recursive: true });
  hub.mood = ({ server }) => (server === "cdn" ? { kind: "corrupt" } : undefined);
  expect(await codeOf(api().loadModel({ params: { name: "hf:acme/guard@main" }, body: { label_map: map } }))).toBe(
    "DIGEST_MISMATCH",
  );
});
