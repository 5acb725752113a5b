// The short way answers as the long one does: a body of known length takes the short way, a chunked one the long.
import http from "node:http";
import net from "node:net";
import { route } from "@mlsec/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { defineService } from "../service.ts";
import { createLogger } from "../telemetry/log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { type Listener, listen } from "./listen.ts";
import { createApp } from "./serve.ts";

const contract = {
  echo: route({
    method: "POST",
    path: "/echo",
    summary: "What was understood",
    scope: "open",
    body: z.strictObject({ text: z.string() }),
    query: z.strictObject({ times: z.number().int().default(1) }),
    responses: { 200: z.object({ text: z.string(), who: z.string() }) },
  }),
  gone: route({
    method: "POST",
    path: "/gone",
    summary: "Waits for the caller to leave",
    scope: "open",
    responses: { 200: z.string() },
  }),
};
let departures = 0;
const service = defineService({
  name: "probe",
  contract,
  create: async () => ({
    ready: async () => ({ ready: true, checks: {} }),
    handlers: {
      echo: async ({ body, query, context }) => ({ text: body.text.repeat(query.times), who: context.principal.id }),
      gone: ({ context: { signal } }) =>
        new Promise<string>((resolve) => {
          signal.addEventListener("abort", () => resolve(`left ${++departures}`), { once: true });
        }),
    },
  }),
});

let listener: Listener;
const metrics = createMetrics("probe");
beforeAll(async () => {
  const app = createApp({
    name: "probe",
    title: "Probe",
    version: "1",
    contract,
    instance: await service.create({} as never),
    log: createLogger({ level: "silent" }),
    metrics,
    clock: () => new Date(0),
    keyless: false,
    maxBodyBytes: 1000,
    requestTimeoutMs: 300,
    draining: new AbortController().signal,
    checkResponses: true,
  });
  listener = await listen(app, "127.0.0.1", 0);
});
afterAll(() => listener.drain(100));

interface Asked {
  readonly body: string | Buffer;
  readonly path?: string;
  readonly headers?: Record<string, string>;
}
const ask = ({ body, path = "/echo", headers = {} }: Asked, isChunked: boolean) =>
  new Promise<{ status: number; head: object; body: unknown }>((resolve, reject) => {
    const length = isChunked
      ? { "transfer-encoding": "chunked" }
      : { "content-length": String(Buffer.byteLength(body)) };
    const sent = { "content-type": "application/json", "x-request-id": "same", ...length, ...headers };
    const request = http.request(
      { host: "127.0.0.1", port: listener.port, method: "POST", path, headers: sent },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          // How the body is framed and when it was sent may differ; nothing else.
          const framing = /^(date|connection|keep-alive|transfer-encoding|content-length)$/;
          const head = Object.fromEntries(Object.entries(response.headers).filter(([name]) => !framing.test(name)));
          resolve({ status: response.statusCode ?? 0, head, body: JSON.parse(text) as unknown });
        });
      },
    );
    request.on("error", reject).end(body);
  });

test.each<[string, Asked, number]>([
  ["a plain text", { body: '{"text":"é😀"}' }, 200],
  ["NUL and a lone surrogate", { body: '{"text":"a\\u0000\\ud800"}' }, 200],
  ["a query", { body: '{"text":"a"}', path: "/echo?times=3" }, 200],
  ["an unknown key", { body: '{"text":"a","txt":1}' }, 400],
  ["a wrong query", { body: '{"text":"a"}', path: "/echo?tims=3" }, 400],
  ["no JSON", { body: "{" }, 400],
  ["no UTF-8", { body: Buffer.from([0x22, 0xff, 0x22]) }, 400],
  ["nothing", { body: "" }, 400],
  ["too much", { body: JSON.stringify({ text: "x".repeat(2000) }) }, 413],
  ["another type", { body: '{"text":"a"}', headers: { "content-type": "text/plain" } }, 415],
  ["a compressed body", { body: '{"text":"a"}', headers: { "content-encoding": "gzip" } }, 415],
  ["another Host", { body: '{"text":"a"}', headers: { host: "evil.example" } }, 403],
  ["a proxy in front", { body: '{"text":"a"}', headers: { "x-forwarded-for": "10.0.0.1" } }, 403],
  ["another page", { body: '{"text":"a"}', headers: { origin: "http://evil.example" } }, 403],
])("both ways agree: %s", async (_, asked, status) => {
  const [short, long] = [await ask(asked, false), await ask(asked, true)];
  expect(short.status).toBe(status);
  expect(short).toEqual(long);
});

test("a caller that leaves aborts the handler", async () => {
  const socket = net.connect(listener.port, "127.0.0.1");
  socket.write(`POST /gone HTTP/1.1\r\nhost: 127.0.0.1:${listener.port}\r\ncontent-length: 0\r\n\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  await expect.poll(() => departures).toBe(1);
});

test("a body that stalls is 504, and its connection is not used again", async () => {
  const socket = net.connect(listener.port, "127.0.0.1");
  const head = `POST /echo HTTP/1.1\r\nhost: 127.0.0.1:${listener.port}\r\ncontent-type: application/json\r\n`;
  socket.write(`${head}content-length: 100\r\n\r\n{"text":`);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toContain("504 Gateway Timeout");
  expect(answer).toContain("TIMEOUT");
});

test("requests on one connection are answered in order", async () => {
  const socket = net.connect(listener.port, "127.0.0.1");
  for (const text of ["one", "two", "three"]) {
    const body = JSON.stringify({ text });
    const last = text === "three" ? "connection: close\r\n" : "";
    socket.write(
      `POST /echo HTTP/1.1\r\nhost: localhost:${listener.port}\r\n${last}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  }
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  expect([...answer.matchAll(/"text":"(\w+)"/g)].map(([, text]) => text)).toEqual(["one", "two", "three"]);
});

test("counted like every other request", async () => {
  expect((await metrics.text()).body).toContain('route="/echo",method="POST",status="200"');
});
