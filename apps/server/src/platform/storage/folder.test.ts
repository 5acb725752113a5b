// What only the folder store has; what all stores must do is conformance.test.ts.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { createFolderStore } from "./folder.ts";
import { byteOrder } from "./listing.ts";
import { parseUri, readAll } from "./object-store.ts";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-objects-"));
let time = 0;
const open = () => createFolderStore(path.join(root, "objects"), () => new Date(time));
let store = open();
beforeEach(async () => {
  fs.rmSync(path.join(root, "objects"), { recursive: true, force: true });
  store = open();
  await store.createBucket("data");
});
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));
const text = async (key: string, range?: { start: number; end?: number }) =>
  (await readAll(await store.get("data", key, range ? { range } : {}))).toString();

test("what was put is read back, with its digests, after a restart too", async () => {
  time = 1_700_000_000_000;
  const info = await store.put("data", "a/b.txt", "hello", { contentType: "text/plain", metadata: { origin: "test" } });
  expect(info).toEqual({
    key: "a/b.txt",
    size: 5,
    sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    etag: "5d41402abc4b2a76b9719d911017c592",
    contentType: "text/plain",
    modified: new Date(time),
    metadata: { origin: "test" },
  });
  store = open();
  expect(await store.head("data", "a/b.txt")).toEqual(info);
  expect(await text("a/b.txt")).toBe("hello");
  expect(await text("a/b.txt", { start: 1, end: 3 })).toBe("ell");
  expect(await text("a/b.txt", { start: 3 })).toBe("lo");
  await expect(text("a/b.txt", { start: 5 })).rejects.toMatchObject({ code: "RANGE" });
  expect(fs.readFileSync((await store.localPath?.("data", "a/b.txt")) ?? "", "utf8")).toBe("hello");
});

test("an empty object, a replaced one, a deleted one", async () => {
  await store.put("data", "k", "");
  expect(await text("k")).toBe("");
  const before = await store.get("data", "k");
  await store.put("data", "k", "two");
  expect((await readAll(before)).toString()).toBe("");
  expect(await text("k")).toBe("two");
  expect([await store.delete("data", "k"), await store.delete("data", "k")]).toEqual([true, false]);
  await expect(text("k")).rejects.toMatchObject({ code: "OBJECT_NOT_FOUND" });
  const files = fs.readdirSync(path.join(root, "objects/data"), { recursive: true, withFileTypes: true });
  expect(files.filter((entry) => entry.isFile())).toEqual([]);
});

test("a put that fails in the middle, or brings other bytes than it said, changes nothing", async () => {
  await store.put("data", "k", "old");
  async function* broken() {
    yield Buffer.from("new");
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  }
  await expect(store.put("data", "k", broken())).rejects.toMatchObject({ code: "STORAGE_FULL", status: 507 });
  await expect(store.put("data", "k", "new", { sha256: "0".repeat(64) })).rejects.toMatchObject({
    code: "DIGEST_MISMATCH",
  });
  expect(await text("k")).toBe("old");
  const files = fs.readdirSync(path.join(root, "objects/data"), { recursive: true, withFileTypes: true });
  expect(files.filter((entry) => entry.isFile())).toHaveLength(2);
});

test("no key leads out of the folder, and each odd key is its own object", async () => {
  const odd = [
    "../../outside",
    "/etc/passwd",
    "a",
    "a/b",
    "a//b",
    "a/",
    ".",
    "..",
    "C:\\x",
    "a\0b",
    "😀",
    "x".repeat(1024),
    "data.json",
  ];
  for (const key of odd) await store.put("data", key, key);
  for (const key of odd) expect(await text(key)).toBe(key);
  expect(fs.readdirSync(root)).toEqual(["objects"]);
  expect(fs.readdirSync(path.join(root, "objects"))).toEqual(["data"]);
  expect((await store.list("data")).objects.map((object) => object.key)).toEqual(odd.toSorted(byteOrder));
  for (const key of ["", "x".repeat(1025), "\ud800"]) {
    await expect(store.put("data", key, "x")).rejects.toMatchObject({ code: "INVALID_INPUT" });
  }
  for (const bucket of ["../data", "a/b", "..", "", "UPPER", "a..b"]) {
    await expect(store.createBucket(bucket)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  }
});

test("buckets", async () => {
  await store.createBucket(".uploads");
  expect((await store.buckets()).map((bucket) => bucket.name)).toEqual(["data"]);
  await store.put("data", "k", "v");
  await expect(store.deleteBucket("data")).rejects.toMatchObject({ code: "CONFLICT" });
  await expect(store.put("other", "k", "v")).rejects.toMatchObject({ code: "NOT_FOUND" });
  const copied = await store.copy({ bucket: "data", key: "k" }, { bucket: "data", key: "k2" });
  expect([copied.size, await text("k2")]).toEqual([1, "v"]);
});

test("s3 addresses", () => {
  expect(parseUri("s3://ml-security/training_data/a b.jsonl")).toEqual({
    bucket: "ml-security",
    key: "training_data/a b.jsonl",
  });
  for (const uri of ["s3://bucket", "s3:///key", "http://a/b", "bucket/key"])
    expect(() => parseUri(uri)).toThrow("s3://bucket/key");
});
