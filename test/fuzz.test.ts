// Whatever is sent, every route of every service answers as its contract says: never 500, never silence, never a crash.
import net from "node:net";
import { codes, Problem, type Contract, type Route, type ServiceName, serviceNames, services } from "@mlsec/contracts";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestOf } from "../apps/server/src/testing/requests.ts";
import { startTestSystem, type TestSystem } from "../apps/server/src/testing/system.ts";

let running: TestSystem;
beforeAll(async () => {
  running = await startTestSystem({ environment: { MLSEC_REQUEST_TIMEOUT_SECONDS: "20" } });
});
afterAll(() => running.stop());

const runs = Number(process.env["FUZZ_RUNS"] ?? 12);
const everyRoute = serviceNames.flatMap((service) =>
  Object.entries(services[service].contract as Contract).map(([name, route]) => ({
    service,
    name,
    route,
    title: `${service} ${route.method} ${route.path}`,
  })),
);

async function send(service: ServiceName, route: Route, path: string, init: RequestInit): Promise<void> {
  const leaving = new AbortController();
  const response = await running.clients.fetch(service, path, { ...init, signal: leaving.signal });
  if (route.kind === "sse" && response.ok) return leaving.abort();
  const body = await response.text();
  expect({ status: response.status, body: response.status === 500 ? body : "" }).not.toMatchObject({ status: 500 });
  if (response.status < 400) return;
  const problem = Problem.parse(JSON.parse(body));
  expect(Object.keys(codes)).toContain(problem.code);
  expect(body).not.toMatch(/node_modules|\.ts:\d|at file:|select .* from|insert into/i);
}

test.each(everyRoute)("$title", async ({ service, route }) => {
  await fc.assert(
    fc.asyncProperty(requestOf(route), ({ path, init }) => send(service, route, path, init)),
    { numRuns: runs, seed: 20261122, endOnFailure: true },
  );
});

test("bytes that are no HTTP end with an answer or a closed socket, and the next request is answered", async () => {
  const url = new URL(running.url("analytics"));
  const shots = [
    "\0\0\0\0",
    "GET / HTTP/9.9\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    `GET / HTTP/1.1\r\nX: ${"y".repeat(40_000)}\r\n\r\n`,
  ];
  for (const shot of shots) {
    await new Promise<void>((resolve) => {
      const socket = net.connect(Number(url.port), "127.0.0.1", () => socket.end(shot));
      socket
        .on("error", () => resolve())
        .on("close", () => resolve())
        .resume();
    });
  }
  expect((await fetch(`${url.origin}/health`)).status).toBe(200);
});

test("the same answers through a socket as inside the process", async () => {
  for (const name of ["analytics", "data-privacy"] as const) {
    for (const path of ["/health", "/nothing", "/openapi.json"]) {
      const inside = await running.clients.fetch(name, path);
      const outside = await fetch(`${running.url(name)}${path}`);
      expect([outside.status, Object.keys(await outside.json())]).toEqual([
        inside.status,
        Object.keys(await inside.json()),
      ]);
    }
  }
});
