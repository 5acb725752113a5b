// What happens when the model API misbehaves, when analytics is away, and when the process ends in the middle of a test.
// The model API is another process here, answering by its contract, so that it can be told to fail.
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { AppError } from "@mlsec/contracts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";

let target: http.Server;
let behave: (
  call: number,
  texts: readonly string[],
) => Promise<{ status?: number; version?: string; isAttack?: boolean }>;
let calls = 0;
const judged: string[] = [];
const systems: TestSystem[] = [];

beforeAll(async () => {
  target = http.createServer((request, response) => {
    void answer(request).then(([status, body]) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  for (const system of systems) await system.stop();
  target.closeAllConnections();
  target.close();
});
beforeEach(() => {
  calls = 0;
  judged.length = 0;
  behave = async () => ({});
});

const model = {
  name: "distilbert",
  version: "1",
  state: "loaded",
  kind: "transformer",
  labels: ["prompt_injection", "jailbreak", "system_extraction", "code_injection", "benign"],
  calibrated: true,
  threshold: 0.5,
  threshold_fpr: 0.01,
  size_bytes: 1,
  memory_bytes: 1,
  source: "test",
  alias: "champion",
  cascade: null,
  loaded_at: null,
  error: null,
};
async function answer(request: http.IncomingMessage): Promise<[number, unknown]> {
  // No self-test here: the list holds nothing.
  if (request.url === "/models") return [200, { models: [], default_model: "distilbert", next_cursor: null }];
  if (request.method === "GET") return [200, model];
  const { texts } = JSON.parse(await text(request)) as { texts: string[] };
  const { status = 200, version = "1", isAttack = true } = await behave(++calls, texts);
  if (status !== 200)
    return [status, { type: "x", title: "x", status, code: "OVERLOADED", detail: "busy", requestId: "r" }];
  judged.push(...texts);
  const results = texts.map((sent) => ({ ...verdict, text: sent, model_version: version, is_attack: isAttack }));
  return [
    200,
    {
      results,
      predictions: results,
      total_texts: texts.length,
      successful_predictions: texts.length,
      processing_time_ms: 1,
    },
  ];
}
const verdict = {
  verdict_id: "v",
  prediction: "jailbreak",
  confidence: 0.9,
  attack_probability: 0.9,
  is_attack: true,
  threshold: 0.5,
  calibrated: true,
  model_name: "distilbert",
  requested_model: "distilbert",
  spans: [],
  windows: 1,
  model_predictions: {},
  ensemble_used: false,
  from_cache: false,
  processing_time_ms: 1,
  timestamp: "2026-11-22T00:00:00Z",
};

async function start(services: NonNullable<Parameters<typeof startTestSystem>[0]>["services"], database?: string) {
  const { port } = target.address() as { port: number };
  const environment = { MODEL_API_URL: `http://127.0.0.1:${port}`, ...(database ? { POSTGRES_DB: database } : {}) };
  const system = await startTestSystem({ ...(services ? { services } : {}), environment });
  systems.push(system);
  return system;
}
async function ended(system: TestSystem, id: string) {
  for (;;) {
    const result = await system.clients["red-team"].result({ params: { id } });
    if (result.status !== "running") return result;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("a busy model API is asked again; what it still refuses is an error, never a miss", async () => {
  const system = await start(["red-team"]);
  const api = system.clients["red-team"];
  behave = async (call) => ({ status: call <= 2 ? 429 : 200 });
  const given = { test_texts: [{ text: "a", expected: "attack" as const }] };
  expect(await api.test({ body: given })).toMatchObject({ detection_rate: 1, errored: 0 });
  behave = async (_, texts) => ({ status: texts.length === 64 ? 429 : 200 });
  const partly = await api.test({ body: { test_texts: Array.from({ length: 65 }, () => given.test_texts[0] ?? "") } });
  expect(partly).toMatchObject({ detection_rate: 1, errored: 64, vulnerabilities_found: 0, overall_status: "FAIL" });
  behave = async () => ({ status: 429 });
  await expect(api.test({ body: given })).rejects.toMatchObject({ code: "UNAVAILABLE" } satisfies Partial<AppError>);
});

test("figures of two versions are never mixed", async () => {
  const system = await start(["red-team"]);
  behave = async (call) => ({ version: call === 1 ? "1" : "2" });
  const body = { num_attacks: 40, wait: true };
  await expect(system.clients["red-team"].test({ body })).rejects.toMatchObject({ code: "CONFLICT" });
});

test("a test that the process left goes on where it was; nothing is judged twice, and analytics gets it later", async () => {
  const first = await start(["red-team"]);
  const blocked = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  behave = async (call) => {
    if (call < 2) return {};
    reached.resolve();
    await blocked.promise;
    return { status: 429 };
  };
  const { test_id } = await first.clients["red-team"].test({ body: { num_attacks: 100, benign_twins: false } });
  await reached.promise;
  const { connection } = first.db;
  expect(await first.clients["red-team"].status({ params: { id: test_id } })).toMatchObject({
    done: 64,
    total: 100,
  });
  const stopping = first.stop();
  systems.splice(systems.indexOf(first), 1);
  blocked.resolve();
  await stopping;

  behave = async () => ({});
  const second = await start(["red-team"], connection.database);
  const result = await ended(second, test_id);
  expect(result).toMatchObject({ status: "completed", done: 100, errored: 0, detection_rate: 1 });
  const attacks = result.results.map((attempt) => attempt.text);
  expect(judged.toSorted()).toEqual(attacks.toSorted());

  const third = await start(["red-team", "analytics"], connection.database);
  const { summary } = await third.clients.analytics.summary();
  expect(summary.map((row) => row.test_id)).toEqual([test_id]);
});

test("kill −9 in the middle of a test: the next process goes on, nothing answered is asked again, findings count once", async () => {
  const first = await start(["data-privacy"]);
  const { host, port, user, database } = first.db.connection;
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-killed-"));
  const reached = Promise.withResolvers<void>();
  const never = Promise.withResolvers<never>();
  behave = async (call) => {
    if (call < 2) return { isAttack: false };
    reached.resolve();
    return never.promise;
  };
  const killed = spawn(process.execPath, [path.resolve(import.meta.dirname, "../../main.ts"), "red-team"], {
    env: {
      PATH: process.env["PATH"],
      LOG_LEVEL: "error",
      MLSEC_DATA_DIR: dataDir,
      MLSEC_PORT_RED_TEAM: "0",
      MODEL_API_URL: `http://127.0.0.1:${(target.address() as { port: number }).port}`,
      POSTGRES_HOST: host,
      POSTGRES_PORT: String(port),
      POSTGRES_USER: user,
      POSTGRES_DB: database,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await addressOf(killed);
  const response = await fetch(`${url}/test`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ num_attacks: 100, benign_twins: false, seed: 5 }),
  });
  expect(response.status).toBe(202);
  const { test_id } = (await response.json()) as { test_id: string };
  await reached.promise;
  killed.kill("SIGKILL");
  await new Promise((resolve) => killed.once("exit", resolve));
  fs.rmSync(dataDir, { recursive: true, force: true });
  expect(judged.length).toBe(64);

  behave = async () => ({});
  const second = await start(["red-team"], database);
  const result = await ended(second, test_id);
  expect(result).toMatchObject({ status: "completed", done: 100, errored: 0 });
  expect(judged.length).toBe(100);
  expect(result.vulnerabilities_found).toBe(64);
  const { findings } = await second.clients["red-team"].findings({ query: { test_id, limit: 500 } });
  expect(findings.reduce((sum, { occurrences }) => sum + occurrences, 0)).toBe(64);
});

async function addressOf(child: ChildProcess): Promise<string> {
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  for (;;) {
    const [, url] = /Red Team\s+(http:\S+)/.exec(output) ?? [];
    if (url !== undefined && output.includes("Ctrl-C stops it.")) return url;
    expect(child.exitCode).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
