import { expect, test } from "vitest";
import {
  AppError,
  createClient,
  fromProblem,
  labels,
  openapi,
  parseEvent,
  services,
  toProblem,
  type Contract,
} from "./index.ts";

test.each(Object.entries(services))("%s: OpenAPI has no dangling reference", (name, info) => {
  const document = openapi({ title: info.title, version: "1" }, info.contract);
  const text = JSON.stringify(document);
  expect(text).not.toContain("#/$defs/");
  const known = new Set(Object.keys((document["components"] as { schemas: object }).schemas));
  for (const [, id] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) expect(known, `${name}: ${id}`).toContain(id);
});

test.each(Object.entries(services))("%s: every path parameter is declared, no route stands twice", (_, info) => {
  const routes = Object.values(info.contract as Contract);
  expect(new Set(routes.map((r) => `${r.method} ${r.path}`)).size).toBe(routes.length);
  for (const r of routes) {
    const inPath = [...r.path.matchAll(/\{(\w+)\}/g)]
      .map((m) => m[1])
      .toSorted((a, b) => (a ?? "").localeCompare(b ?? ""));
    expect(Object.keys(r.params?.shape ?? {}).toSorted((a, b) => a.localeCompare(b))).toEqual(inPath);
  }
});

test("ports and address settings are unique", () => {
  const rows = Object.values(services);
  expect(new Set(rows.map((s) => s.port)).size).toBe(rows.length);
  expect(new Set(rows.map((s) => s.addressEnv)).size).toBe(rows.length);
});

test("the labels stand in the agreed order", () => {
  expect(labels).toEqual(["prompt_injection", "jailbreak", "system_extraction", "code_injection", "benign"]);
});

test("an error survives the wire", () => {
  const error = new AppError("INVALID_INPUT", "text: expected a string", {
    errors: [{ field: "text", message: "expected a string" }],
  });
  const back = fromProblem(toProblem(error, "r1"));
  expect(back.code).toBe("INVALID_INPUT");
  expect(back.status).toBe(400);
  expect(back.details["errors"]).toEqual([{ field: "text", message: "expected a string" }]);
});

test("a client sends JSON, fills the path and rebuilds the error", async () => {
  const seen: string[] = [];
  const api = createClient(services.training.contract, "http://h", {
    fetch: async (url, init) => {
      seen.push(`${init.method} ${url}`);
      return Response.json(toProblem(new AppError("NOT_FOUND", "no job a/b"), "r2"), { status: 404 });
    },
  });
  await expect(api.getJob({ params: { id: "a/b" } })).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(seen).toEqual(["GET http://h/jobs/a%2Fb"]);
});

test("event blocks parse, comments do not", () => {
  expect(parseEvent('event: job\nid: 3\ndata: {"a":1}')).toEqual({ event: "job", id: "3", data: { a: 1 } });
  expect(parseEvent(": keep alive")).toBeUndefined();
});
