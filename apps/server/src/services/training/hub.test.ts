import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Job } from "@mlsec/contracts";
import { readSafetensors } from "@mlsec/engine";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HubServer, startHub } from "../../../../../packages/engine/src/hub/testing/hub-server.ts";
import { encodeTorch } from "../../../../../packages/engine/src/weights/testing/torch-file.ts";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";
import { toySettings } from "./testing.ts";

const reference = path.resolve(import.meta.dirname, "../../../../../packages/engine/fixtures/parity/bert");
const commit = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";
const quick = { epochs: 1, learning_rate: 5e-3, batch_size: 32, max_length: 32, seed: 7 };
let folder = "";
let system: TestSystem;
let hub: HubServer;
const api = () => system.clients.training;

async function ended(id: string): Promise<Job> {
  for (;;) {
    const job = await api().getJob({ params: { id } });
    if (["completed", "failed", "cancelled"].includes(job.status)) return job;
    await delay(100);
  }
}
const logOf = async (id: string): Promise<string> =>
  (await api().jobLogs({ params: { id } })).logs.map(({ message }) => message).join("\n");

/** A bare encoder as torch saves it: no head. */
async function encoderFiles(): Promise<Record<string, Uint8Array>> {
  const { tensors } = await readSafetensors(path.join(reference, "model.safetensors"));
  const encoder = [...tensors].filter(([name]) => !name.startsWith("classifier"));
  const plain = Object.fromEntries(encoder.map(([name, t]) => [name, { shape: t.shape, data: t.toFloat32() }]));
  const read = (name: string): Promise<Uint8Array> => fs.readFile(path.join(reference, name));
  const [config, tokenizer] = [await read("config.json"), await read("tokenizer.json")];
  return { "config.json": config, "tokenizer.json": tokenizer, "pytorch_model.bin": encodeTorch(plain) };
}

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "mlsec-training-hub-"));
  const files = await encoderFiles();
  const strange = { ...files, "config.json": Buffer.from('{"model_type":"mamba"}') };
  hub = await startHub({
    "acme/encoder": { commit, files, large: ["pytorch_model.bin"] },
    "acme/strange": { commit, files: strange },
  });
  system = await startTestSystem({
    services: ["training", "mlflow", "model-api", "object-storage", "analytics"],
    environment: { ...(await toySettings(folder)), HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: "0" },
  });
});
afterAll(async () => {
  await system.stop();
  await hub.close();
  await fs.rm(folder, { recursive: true, force: true });
});

test("trains from a hub encoder whose weights torch saved, and records the commit", async () => {
  const { job_id, model_name } = await api().train({ body: { model_name: "hf:acme/encoder", config: quick } });
  expect(model_name).toBe("acme--encoder");
  const job = await ended(job_id);
  expect(job.error).toBeNull();
  expect(job).toMatchObject({ status: "completed", model_name: "acme--encoder" });
  const log = await logOf(job_id);
  expect(log).toMatch(/fetching acme\/encoder: 100 % of/);
  expect(log).toContain(`starts from hf:acme/encoder@${commit}`);
  // The next one needs no hub, under either name.
  const before = hub.requests.length;
  hub.mood = () => ({ kind: "status", status: 500 });
  const again = await api().train({ body: { model_name: "acme--encoder", config: quick, promote: "never" } });
  expect((await ended(again.job_id)).status).toBe("completed");
  hub.mood = () => undefined;
  expect(hub.requests).toHaveLength(before);
  const loaded = await system.clients["model-api"].loadModel({ params: { name: "acme--encoder" } });
  expect(loaded).toMatchObject({ state: "loaded", calibrated: true });
});

test("what cannot be fetched or trained is refused before a job is queued", async () => {
  const ask = (model_name: string) => api().train({ body: { model_name, config: quick } });
  await expect(ask("hf:acme/none")).rejects.toMatchObject({
    code: "WEIGHTS_UNREACHABLE",
    message: expect.stringMatching(/no such repository.*put config\.json.*acme\/none.*"acme--none\/"/),
  });
  await expect(ask("hf:acme/strange")).rejects.toMatchObject({
    code: "CONFLICT",
    message: expect.stringContaining("mamba"),
  });
  await expect(ask("bert-base")).rejects.toMatchObject({
    code: "WEIGHTS_UNREACHABLE",
    message: expect.stringContaining("google-bert/bert-base-uncased"),
  });
  const jobs = await api().listJobs({ query: {} });
  expect(jobs.jobs.filter(({ model_name }) => model_name === "bert-base")).toEqual([]);
});
