// Every rule of the HTTP layer, over a real socket, on a contract of its own.
import http from "node:http";
import { Reply, route } from "@mlsec/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { defineService } from "../service.ts";
import { createLogger } from "../telemetry/log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { type Listener, listen } from "./listen.ts";
import { createApp } from "./serve.ts";

const Settings = z.strictObject({ epochs: z.int().default(3), lora: z.object({ rank: z.int() }).optional() });
const contract = {
  echo: route({
    method: "POST",
    path: "/echo",
    summary: "What was understood",
    scope: "open",
    body: z.object({ text: z.string(), config: Settings.optional() }),
    responses: {
      200: z.object({ text: z.string(), units: z.int() }),
      202: z.object({ text: z.string(), units: z.int() }),
    },
  }),
  list: route({
    method: "GET",
    path: "/items",
    summary: "Items",
    scope: "open",
    query: z.strictObject({
      limit: z.number().int().default(5),
      deep: z.boolean().default(false),
      tag: z.array(z.string()).default([]),
    }),
    responses: { 200: z.object({ limit: z.int(), deep: z.boolean(), tag: z.array(z.string()) }) },
  }),
  latest: route({
    method: "GET",
    path: "/items/latest",
    summary: "The newest",
    scope: "open",
    responses: { 200: z.object({ id: z.string() }) },
  }),
  item: route({
    method: "GET",
    path: "/items/{id}",
    summary: "One",
    scope: "open",
    params: z.strictObject({ id: z.string() }),
    responses: { 200: z.object({ id: z.string() }) },
  }),
  report: route({
    method: "GET",
    path: "/reports/{id}.{format}",
    summary: "A report",
    scope: "open",
    kind: "file",
    params: z.strictObject({ id: z.string(), format: z.enum(["csv", "junit.xml"]) }),
    responses: { 200: z.string() },
  }),
  wrong: route({
    method: "GET",
    path: "/wrong",
    summary: "Answers against its contract",
    scope: "open",
    responses: { 200: z.object({ a: z.int() }) },
  }),
  breaks: route({ method: "GET", path: "/breaks", summary: "Throws", scope: "open", responses: { 200: z.string() } }),
  never: route({
    method: "GET",
    path: "/never",
    summary: "Never answers",
    scope: "open",
    responses: { 200: z.string() },
  }),
  events: route({
    method: "GET",
    path: "/events",
    summary: "Counts",
    scope: "open",
    kind: "sse",
    responses: { 200: z.unknown() },
  }),
  upload: route({
    method: "POST",
    path: "/upload",
    summary: "Takes bytes",
    scope: "open",
    kind: "upload",
    responses: { 200: z.object({ bytes: z.int() }) },
  }),
};
let closedStreams = 0;
const service = defineService({
  name: "probe",
  contract,
  create: async () => ({
    ready: async () => ({ ready: false, checks: { model: { status: "down" as const } } }),
    handlers: {
      echo: async ({ body }) => {
        const answer = { text: body.text, units: body.text.length };
        return body.config ? new Reply(202, answer, { "x-epochs": String(body.config.epochs) }) : answer;
      },
      list: async ({ query }) => query,
      latest: async () => ({ id: "the latest" }),
      item: async ({ params }) => params,
      report: async ({ params }) =>
        new Response(`${params.id} as ${params.format}`, { headers: { "content-type": "text/plain" } }),
      wrong: async () => ({ a: "no number" }) as unknown as { a: number },
      breaks: async () => {
        throw new Error("secret: /etc/passwd, select * from keys");
      },
      never: () => new Promise<string>(() => undefined),
      events: async () => count(),
      upload: async ({ request }) => {
        let bytes = 0;
        for await (const chunk of request.body ?? []) bytes += chunk.byteLength;
        return { bytes };
      },
    },
  }),
});
async function* count() {
  try {
    for (let i = 0; ; i++) {
      yield { event: "tick", data: { i }, id: String(i) };
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    closedStreams++;
  }
}

let listener: Listener;
let base: string;
const draining = new AbortController();
beforeAll(async () => {
  const app = createApp({
    name: "probe",
    title: "Probe <1>",
    version: "1",
    contract,
    instance: await service.create({} as never),
    log: createLogger({ level: "silent" }),
    metrics: createMetrics("probe"),
    clock: () => new Date(0),
    keyless: false,
    maxBodyBytes: 10_000,
    requestTimeoutMs: 300,
    draining: draining.signal,
    checkResponses: true,
  });
  listener = await listen(app, "localhost", 0);
  base = `http://localhost:${listener.port}`;
});
afterAll(() => listener.drain(100));

const post = (body: BodyInit, headers: Record<string, string> = { "content-type": "application/json" }) =>
  fetch(`${base}/echo`, { method: "POST", body, headers });
const problem = async (response: Response) => {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = (await response.json()) as {
    status: number;
    code: string;
    detail: string;
    requestId: string;
    errors?: { field: string; message: string }[];
  };
  expect(body.status).toBe(response.status);
  expect(body.requestId).toBe(response.headers.get("x-request-id"));
  return body;
};
/** fetch sets Host itself; this does not. */
const raw = (headers: Record<string, string>, path = "/items", method = "GET") =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port: listener.port, path, method, headers }, (response) => {
      let body = "";
      response
        .on("data", (chunk) => (body += chunk))
        .on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on("error", reject).end();
  });

test("a request that fits is answered, with another status and headers where the handler says so", async () => {
  expect(await (await post('{"text":"a\\u0000\\ud800"}')).json()).toEqual({ text: "a\0\ud800", units: 3 });
  const reply = await post('{"text":"a","config":{}}');
  expect([reply.status, reply.headers.get("x-epochs")]).toEqual([202, "3"]);
});

test("unknown keys are named with the nearest known one, at any depth", async () => {
  const found = await problem(await post('{"text":"a","config":{"epoch":3,"lora":{"rank":1,"rnk":2}}}'));
  expect(found.code).toBe("INVALID_INPUT");
  expect(found.errors).toContainEqual({ field: "config.epoch", message: 'unknown key; did you mean "epochs"?' });
  const deep = await problem(await post('{"text":"a","config":{"lora":{"rank":1,"rnk":2}}}'));
  expect(deep.errors).toEqual([{ field: "config.lora.rnk", message: 'unknown key; did you mean "rank"?' }]);
  expect((await problem(await fetch(`${base}/items?limt=3`))).detail).toContain('did you mean "limit"');
});

test("a query is read as its schema says", async () => {
  expect(await (await fetch(`${base}/items?limit=7&deep=false&tag=a&tag=b`)).json()).toEqual({
    limit: 7,
    deep: false,
    tag: ["a", "b"],
  });
  expect((await problem(await fetch(`${base}/items?limit=`))).status).toBe(400);
  expect((await problem(await fetch(`${base}/items?limit=1&limit=2`))).detail).toContain("more than once");
});

test("bodies that are no JSON, no UTF-8, too deep, too large or of another type are refused by name", async () => {
  expect((await problem(await post("{"))).code).toBe("INVALID_JSON");
  expect((await problem(await post(`{"text":${"[".repeat(100_0)}${"]".repeat(100_0)}}`))).code).toBe("INVALID_JSON");
  expect((await problem(await post(new Uint8Array([0x22, 0xff, 0x22])))).code).toBe("INVALID_ENCODING");
  const large = await problem(await post(JSON.stringify({ text: "x".repeat(20_000) })));
  expect([large.code, large.detail]).toEqual(["BODY_TOO_LARGE", "the body is larger than 10000 bytes"]);
  expect((await problem(await post("text=a", { "content-type": "application/x-www-form-urlencoded" }))).code).toBe(
    "MEDIA_TYPE",
  );
  expect((await problem(await post('{"text":"a"}', { "content-type": "text/plain" }))).code).toBe("MEDIA_TYPE");
  expect((await problem(await fetch(`${base}/echo`, { method: "POST" }))).code).toBe("INVALID_INPUT");
});

test("paths: literals before parameters, extensions, 404, 405, bad escapes, HEAD", async () => {
  expect(await (await fetch(`${base}/items/latest`)).json()).toEqual({ id: "the latest" });
  expect(await (await fetch(`${base}/items/${encodeURIComponent("hf:a/b@c")}`)).json()).toEqual({ id: "hf:a/b@c" });
  expect((await fetch(`${base}/reports/r.1.junit.xml`)).status).toBe(400);
  expect(await (await fetch(`${base}/reports/r1.csv`)).text()).toBe("r1 as csv");
  expect((await problem(await fetch(`${base}/nothing`))).code).toBe("ROUTE_NOT_FOUND");
  const refused = await fetch(`${base}/items`, { method: "DELETE" });
  expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  expect((await problem(await fetch(`${base}/items/%ff`))).code).toBe("INVALID_ENCODING");
  const head = await fetch(`${base}/items`, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

test("a broken handler says nothing of what broke; an answer against the contract is an error in tests", async () => {
  const broken = await problem(await fetch(`${base}/breaks`));
  expect([broken.code, broken.detail]).toEqual([
    "INTERNAL",
    "something broke inside; the log has it under this request id",
  ]);
  expect((await problem(await fetch(`${base}/wrong`))).code).toBe("INTERNAL");
});

test("a handler that never answers is 504", async () => {
  expect((await problem(await fetch(`${base}/never`))).code).toBe("TIMEOUT");
});

test("a body that never ends is 504 too", async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{"text":')) });
  const init: RequestInit = { method: "POST", body, headers: { "content-type": "application/json" } };
  expect((await problem(await fetch(`${base}/echo`, Object.assign(init, { duplex: "half" })))).code).toBe("TIMEOUT");
});

test("an event stream ends with its reader, and with the system", async () => {
  const leaving = new AbortController();
  const response = await fetch(`${base}/events`, { signal: leaving.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>)
    .pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";
  while (!text.includes("id: 2")) text += (await reader.read()).value ?? "";
  expect(text).toContain('id: 0\nevent: tick\ndata: {"i":0}\n\n');
  leaving.abort();
  await expect.poll(() => closedStreams).toBe(1);
  const other = await fetch(`${base}/events`);
  draining.abort();
  expect(await other.text()).toContain("event: tick");
  await expect.poll(() => closedStreams).toBe(2);
});

test("an upload is streamed past the limit of JSON bodies, whatever its type", async () => {
  const response = await fetch(`${base}/upload`, {
    method: "POST",
    body: new Uint8Array(1_000_000),
    headers: { "content-type": "text/csv" },
  });
  expect(await response.json()).toEqual({ bytes: 1_000_000 });
});

test.each([
  ["another Host (DNS rebinding)", { host: "evil.example" }],
  ["a Host that only begins like ours", { host: "localhost.evil.example" }],
  ["a form on another site", { origin: "http://evil.example" }],
  ["a page in a sandbox", { origin: "null" }],
  ["another program on this machine's web", { origin: "http://localhost:1" }],
  ["a cross-site navigation", { "sec-fetch-site": "cross-site" }],
  ["a same-site page of another port", { "sec-fetch-site": "same-site" }],
  ["a proxy in front (Forwarded)", { forwarded: "for=10.0.0.1" }],
  ["a proxy in front (X-Forwarded-For)", { "x-forwarded-for": "10.0.0.1" }],
  ["a proxy in front (X-Forwarded-Anything)", { "x-forwarded-anything": "x" }],
  ["a proxy in front (Via)", { via: "1.1 proxy" }],
])("refused: %s, on every path", async (_, headers) => {
  for (const path of ["/items", "/health", "/metrics", "/events", "/nothing"]) {
    const answer = await raw({ host: `localhost:${listener.port}`, ...headers }, path);
    expect([path, answer.status]).toEqual([path, 403]);
  }
});

test("served: our own page and plain programs, on each loopback name", async () => {
  for (const host of ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"].map((name) => `${name}:${listener.port}`)) {
    expect((await raw({ host })).status).toBe(200);
    expect((await raw({ host, origin: `http://${host}`, "sec-fetch-site": "same-origin" })).status).toBe(200);
  }
  expect((await fetch(`http://[::1]:${listener.port}/items`)).status).toBe(200);
});

test("a malformed request line or Host is 400 with a problem document", async () => {
  for (const headers of [{ host: "a b" }, { host: "localhost:99999999" }]) {
    expect([400, 403]).toContain((await raw(headers)).status);
  }
  expect([400, 404]).toContain((await raw({ host: "localhost" }, "//[")).status);
});

test("what every service answers", async () => {
  expect(await (await fetch(`${base}/health`)).json()).toMatchObject({ status: "ok", service: "probe", version: "1" });
  const ready = await fetch(`${base}/ready`);
  expect([ready.status, await ready.json()]).toMatchObject([
    503,
    { ready: false, service: "probe", checked_at: "1970-01-01T00:00:00.000Z" },
  ]);
  expect(await (await fetch(`${base}/metrics`)).text()).toContain(
    'mlsec_request_seconds_count{service="probe",route="/echo",method="POST",status="200"}',
  );
  const document = (await (await fetch(`${base}/openapi.json`)).json()) as { paths: object };
  expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(["/echo", "/items/{id}", "/health"]));
  const docs = await fetch(`${base}/docs`);
  expect(docs.headers.get("content-security-policy")).toContain("default-src 'none'");
  const page = await docs.text();
  expect(page).toContain("Probe &lt;1&gt;");
  expect(page).not.toMatch(/<script|https?:\/\//);
});

test("security headers and the caller's request id are on every answer", async () => {
  const response = await fetch(`${base}/nothing`, { headers: { "x-request-id": "abc.1" } });
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "x-request-id": "abc.1",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
  });
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
  expect((await fetch(`${base}/items`, { headers: { "x-request-id": "a b" } })).headers.get("x-request-id")).toMatch(
    /^[\da-f-]{36}$/,
  );
});
