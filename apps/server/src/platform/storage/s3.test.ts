// What only the S3 store has: servers that cannot be reached, refuse, answer oddly, and a system whose objects lie on another.
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";
import { startTable } from "../table.ts";
import { readAll } from "./object-store.ts";
import { createS3Store } from "./s3.ts";

const keys = { MINIO_ACCESS_KEY: "first", MINIO_SECRET_KEY: "first-secret" };
const spoolDir = fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-spool-"));
let first: TestSystem;
const fakes: http.Server[] = [];
beforeAll(async () => {
  first = await startTestSystem({ services: ["object-storage"], environment: keys });
});
afterEach(() => {
  for (const server of fakes.splice(0)) server.close().closeAllConnections();
});
afterAll(async () => {
  await first?.stop();
  fs.rmSync(spoolDir, { recursive: true, force: true });
});

async function fake(answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer).listen(0, "127.0.0.1");
  fakes.push(server);
  await new Promise((resolve) => server.once("listening", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const open = (endpoint: string, timeoutMs = 2000) =>
  createS3Store({ endpoint, accessKey: "a", secretKey: "b", spoolDir, timeoutMs });

test("what passes by itself is tried three times, with the whole body each time", async () => {
  const seen: string[] = [];
  const endpoint = await fake((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.push(body);
      if (seen.length === 1) return void request.socket.destroy();
      response.writeHead(seen.length === 2 ? 503 : 200, { etag: '"x"' }).end();
    });
  });
  async function* content() {
    yield Buffer.from("a");
    yield Buffer.from("b");
  }
  expect(await open(endpoint).put("bucket", "k", content())).toMatchObject({ size: 2, etag: "x" });
  expect(seen).toEqual(["ab", "ab", "ab"]);
  expect(fs.readdirSync(spoolDir)).toEqual([]);
});

const error = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>why</Message></Error>`;
test.each([
  [500, "InternalError", { code: "UNAVAILABLE" }, 3],
  [507, "XMinioStorageFull", { code: "STORAGE_FULL" }, 1],
  [400, "EntityTooLarge", { code: "BODY_TOO_LARGE" }, 1],
  [
    403,
    "InvalidAccessKeyId",
    { code: "UPSTREAM", message: expect.stringMatching(/InvalidAccessKeyId.*MINIO_ACCESS_KEY/) },
    1,
  ],
  [404, "NoSuchBucket", { code: "NOT_FOUND" }, 1],
  [301, "PermanentRedirect", { code: "UPSTREAM", message: expect.stringContaining("301 (PermanentRedirect: why)") }, 1],
])("%i %s", async (status, code, wanted, calls) => {
  let count = 0;
  const endpoint = await fake((request, response) => {
    count++;
    request.resume().on("end", () => response.writeHead(status).end(error(code)));
  });
  await expect(open(endpoint).put("bucket", "k", "v")).rejects.toMatchObject(wanted);
  expect(count).toBe(calls);
});

test("silence, nobody there, half an answer, no XML", async () => {
  const silent = await fake(() => undefined);
  await expect(open(silent, 100).head("bucket", "k")).rejects.toMatchObject({ code: "TIMEOUT" });
  await expect(open("http://127.0.0.1:1").head("bucket", "k")).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: "the S3 server at http://127.0.0.1:1 cannot be reached (ECONNREFUSED)",
  });
  const half = await fake((_, response) => {
    response.writeHead(200, { "content-length": "10" }).write("half");
    setTimeout(() => response.destroy(), 20);
  });
  await expect(open(half).get("bucket", "k").then(readAll)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  const stalled = await fake((_, response) => void response.writeHead(200, { "content-length": "10" }).write("half"));
  await expect(open(stalled, 100).get("bucket", "k").then(readAll)).rejects.toMatchObject({ code: "TIMEOUT" });
  const page = await fake((_, response) => response.end("<html>a login page</html>"));
  await expect(open(page).list("bucket")).rejects.toMatchObject({ code: "UPSTREAM" });
  await expect(open(page).put("bucket", "k", "v", { metadata: { a: "é" } })).rejects.toMatchObject({
    code: "INVALID_INPUT",
  });
});

test("a compressed object of another program comes back as it is stored", async () => {
  const gzipped = Buffer.from("H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==", "base64");
  const endpoint = await fake((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipped));
  const object = await open(endpoint).get("bucket", "k");
  expect(object.sha256).toBe("");
  expect(await readAll(object)).toEqual(gzipped);
});

test("a system whose objects lie on another uploads a data set there and reads it back", async () => {
  const endpoint = first.url("object-storage");
  const environment = { MINIO_ENDPOINT: endpoint, MINIO_BUCKET: "second-bucket", ...keys };
  const second = await startTestSystem({ services: ["training", "mlflow"], environment });
  try {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      text: `text number ${i} of this set`,
      label: i % 2 ? "benign" : "prompt_injection",
    }));
    const body = rows.map((row) => JSON.stringify(row)).join("\n");
    const headers = { "content-type": "application/x-ndjson" };
    const response = await fetch(`${second.url("training")}/data/upload`, { method: "POST", body, headers });
    expect(response.status).toBe(201);
    const { file_id: id, sha256 } = (await response.json()) as { file_id: string; sha256: string };
    const preview = await second.clients.training.previewData({ params: { id }, query: { limit: 2 } });
    expect(preview.rows).toEqual(rows.slice(0, 2));
    const key = `training_data/uploads/${id}.jsonl`;
    expect(await first.system.storage.head("second-bucket", key)).toMatchObject({
      metadata: { "mlsec-sha256": sha256 },
      sha256,
    });
    expect((await readAll(await first.system.storage.get("second-bucket", key))).toString()).toBe(body);
    expect(fs.existsSync(path.join(second.dataDir, "objects"))).toBe(false);
    const table = startTable(second.system.live, { seconds: 1, keyless: false, addresses: {} });
    expect(table).toMatch(new RegExp(`Objects +${endpoint} +external; MINIO_ENDPOINT`));
  } finally {
    await second.stop();
  }
});

test.each([
  [{ MINIO_ENDPOINT: "http://127.0.0.1:1", ...keys }, /^MINIO_ENDPOINT: .*cannot be reached \(ECONNREFUSED\)$/],
  [{ ...keys, MINIO_SECRET_KEY: "wrong" }, /^MINIO_ENDPOINT: .*refuses us.*MINIO_SECRET_KEY/],
  [{}, /^MINIO_ENDPOINT: .*needs MINIO_ACCESS_KEY and MINIO_SECRET_KEY$/],
  [{ MINIO_ENDPOINT: "http://127.0.0.1:1/path", ...keys }, /^MINIO_ENDPOINT: expected scheme, host and port only/],
])("a server that cannot be used stops the start with one line: %o", async (environment, line) => {
  const settings = { MINIO_ENDPOINT: first.url("object-storage"), ...environment };
  const started = startTestSystem({ services: ["data-privacy"], environment: settings });
  await expect(started).rejects.toMatchObject({ code: "INVALID_CONFIG", message: expect.stringMatching(line) });
});

test("object storage is not opened beside a server that has the objects", async () => {
  const environment = { MINIO_ENDPOINT: first.url("object-storage"), ...keys };
  await expect(startTestSystem({ services: ["object-storage"], environment })).rejects.toMatchObject({
    code: "INVALID_CONFIG",
  });
});
