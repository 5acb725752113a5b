import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HubServer, startHub } from "../../../packages/engine/src/hub/testing/hub-server.ts";
import { sourceOf } from "./hub.ts";

const main = path.join(import.meta.dirname, "main.ts");
const commit = "89abcdef0123456789abcdef0123456789abcdef";
const files = {
  "config.json": Buffer.from('{"model_type":"bert"}'),
  "tokenizer.json": Buffer.from("{}"),
  "model.safetensors": new Uint8Array(200_000).fill(3),
};
let hub: HubServer;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "mlsec-cli-hub-"));
  hub = await startHub({ "acme/guard": { commit, files, large: ["model.safetensors"], token: "hf_from_file" } });
  await writeFile(path.join(folder, "token"), "hf_from_file\n");
});
afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
const mlsec = (args: readonly string[], more: Record<string, string> = {}): Promise<Ran> =>
  new Promise((resolve) => {
    const env = { ...process.env, MLSEC_DATA_DIR: folder, HF_ENDPOINT: hub.endpoint, NO_COLOR: "1", ...more };
    execFile(process.execPath, [main, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });

test("names of hub models", async () => {
  expect(await sourceOf("hf:acme/guard@v1")).toEqual({ repository: "acme/guard", revision: "v1" });
  expect(await sourceOf("acme/guard")).toEqual({ repository: "acme/guard", revision: "main" });
  expect((await sourceOf("deberta-v3-base"))?.repository).toBe("microsoft/deberta-v3-base");
  expect(await sourceOf("nothing")).toBeUndefined();
});

test("pull fetches into the data folder, once; doctor lists pins and what is here", async () => {
  const HF_TOKEN_FILE = path.join(folder, "token");
  const refused = await mlsec(["models", "pull", "hf:acme/guard"]);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/acme\/guard@main.*token/) });
  const first = await mlsec(["models", "pull", "hf:acme/guard"], { HF_TOKEN_FILE });
  expect(first).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`acme/guard@${commit}  0.2 MB, 0.2 MB received`),
  });
  const again = await mlsec(["models", "pull", "hf:acme/guard", "--json"], { HF_HUB_OFFLINE: "1" });
  const model = JSON.parse(again.stdout) as { folder: string; receivedBytes: number };
  expect(model.receivedBytes).toBe(0);
  expect(await readFile(path.join(model.folder, "config.json"), "utf8")).toBe('{"model_type":"bert"}');
  expect(await mlsec(["models", "pull", "nothing"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("bert-base"),
  });
  const checks = JSON.parse((await mlsec(["doctor", "--json"])).stdout) as { name: string; detail: string }[];
  const detailOf = (name: string): string | undefined => checks.find((check) => check.name === name)?.detail;
  expect(detailOf("hub roberta-base")).toMatch(/^FacebookAI\/roberta-base@[0-9a-f]{40}, not here$/);
  expect(detailOf("hub acme/guard")).toBe(`${commit}, 0.2 MB here`);
});
