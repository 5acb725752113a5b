import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";

let system: TestSystem;
let folder = "";
const get = (at: string, headers: Record<string, string> = {}) => fetch(system.url("monitoring") + at, { headers });

beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "mlsec-dashboard-"));
  await fs.mkdir(path.join(folder, "dist/assets"), { recursive: true });
  await fs.writeFile(path.join(folder, "secret.txt"), "outside");
  await fs.writeFile(path.join(folder, "dist/index.html"), "<title>dashboard</title>");
  await fs.writeFile(path.join(folder, "dist/assets/index-DRLz838y.js"), "1");
  system = await startTestSystem({
    services: ["monitoring", "analytics", "data-privacy", "object-storage"],
    environment: { MLSEC_DASHBOARD_DIR: path.join(folder, "dist") },
  });
});
afterAll(async () => {
  await system?.stop();
  await fs.rm(folder, { recursive: true, force: true });
});

test("the page for every path of the client, with no inline scripts; hashed files for ever", async () => {
  for (const at of ["/", "/training", "/models/distilbert"]) {
    const page = await get(at, { accept: "text/html" });
    expect(await page.text()).toContain("dashboard");
    expect(page.headers.get("content-security-policy")).toContain("script-src 'self' 'wasm-unsafe-eval'; style-src");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const again = await get(at, { accept: "text/html", "if-none-match": page.headers.get("etag") ?? "" });
    expect(again.status).toBe(304);
  }
  expect(await (await get("/")).text()).toContain("dashboard");
  const script = await get("/assets/index-DRLz838y.js");
  expect(script.headers.get("cache-control")).toContain("immutable");
  expect(script.headers.get("content-type")).toContain("javascript");
  expect((await get("/assets/gone-DRLz838y.js", { accept: "text/html" })).status).toBe(404);
  expect((await get("/health")).status).toBe(200);
});

test.each(["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/..%5c..%5csecret.txt", "/%00", "/%ff"])(
  "%s leads nowhere",
  async (at) => {
    const response = await get(at);
    expect(await response.text()).not.toContain("outside");
    expect(response.status).toBeGreaterThanOrEqual(400);
  },
);

test("calls go on to the services, bodies and errors included", async () => {
  const found = await fetch(`${system.url("monitoring")}/api/data-privacy/pii/find`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: system.url("monitoring"), "sec-fetch-site": "same-origin" },
    body: JSON.stringify({ text: "anna@example.org" }),
  });
  expect(await found.json()).toEqual({ findings: [{ kind: "email", start: 0, end: 16 }] });
  const wrong = await fetch(`${system.url("monitoring")}/api/data-privacy/pii/find`, { method: "POST", body: "x" });
  expect(wrong.status).toBe(415);
  expect((await get("/api/analytics/red-team/summary?days=7")).status).toBe(200);
  expect((await get("/api/analytics/red-team/summary?days=x")).status).toBe(400);
  const down = await get("/api/model-api/models");
  expect([down.status, ((await down.json()) as { code: string }).code]).toEqual([503, "UNAVAILABLE"]);
});

test("streams pass both ways", async () => {
  const url = `${system.url("monitoring")}/api/object-storage/proxied`;
  await fetch(url, { method: "PUT" });
  const bytes = Buffer.alloc(3 * 2 ** 20, 7);
  expect((await fetch(`${url}/big`, { method: "PUT", body: bytes })).status).toBe(200);
  expect(Buffer.from(await (await fetch(`${url}/big`)).arrayBuffer()).equals(bytes)).toBe(true);
});

test.each([
  ["another origin", { origin: "https://example.com" }],
  ["another site", { "sec-fetch-site": "cross-site" }],
  ["a proxy", { "x-forwarded-for": "203.0.113.9" }],
])("%s is refused at the door", async (_, headers) => {
  expect((await get("/api/analytics/red-team/summary", headers as Record<string, string>)).status).toBe(403);
});

test("only services of the table are reached, and the dashboard is not its own client", async () => {
  for (const at of [
    "/api/constructor/x",
    "/api/localhost:22/x",
    "/api/monitoring/api/monitoring/health",
    "/api/nothing",
  ])
    expect((await get(at)).status).toBe(404);
});

test("the event stream: a picture at once, and another soon", async () => {
  const controller = new AbortController();
  const response = await fetch(`${system.url("monitoring")}/api/monitoring/api/live`, { signal: controller.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.split("event: picture").length > 2) break;
  }
  controller.abort();
  const [, first = ""] = /event: picture\ndata: (.*)\n/.exec(text) ?? [];
  expect(JSON.parse(first)).toMatchObject({ verdicts: null, jobs: [], tests: [], health: { overall: "down" } });
  const listeners = async () => /^mlsec_live_listeners.* (\d+)$/m.exec(await (await get("/metrics")).text())?.[1];
  await expect.poll(listeners).toBe("0");
  const picture = await system.clients.monitoring.picture();
  expect(picture.health.services.find(({ name }) => name === "analytics")?.status).toBe("healthy");
});

test("a dashboard that is not built says how to build it", async () => {
  await fs.rm(path.join(folder, "dist/index.html"));
  const response = await get("/", { accept: "text/html" });
  expect(response.status).toBe(503);
  expect(await response.text()).toContain("npm run build");
});
