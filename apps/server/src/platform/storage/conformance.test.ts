// What every object store must do, whichever a system has: the folder, and an S3 server (our own, over real sockets, with
// every signature checked).
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";
import { createFolderStore } from "./folder.ts";
import { byteOrder } from "./listing.ts";
import { type ObjectStore, readAll } from "./object-store.ts";
import { createS3Store } from "./s3.ts";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "mlsec-conformance-"));
const credentials = { MINIO_ACCESS_KEY: "conformance", MINIO_SECRET_KEY: "conformance/secret+key" };
let server: TestSystem;
beforeAll(async () => {
  server = await startTestSystem({ services: ["object-storage"], environment: credentials });
});
afterAll(async () => {
  await server?.stop();
  fs.rmSync(root, { recursive: true, force: true });
});

const makers: Record<string, () => ObjectStore> = {
  folder: () => createFolderStore(path.join(root, "objects"), () => new Date()),
  S3: () =>
    createS3Store({
      endpoint: server.url("object-storage"),
      accessKey: credentials.MINIO_ACCESS_KEY,
      secretKey: credentials.MINIO_SECRET_KEY,
      spoolDir: path.join(root, "spool"),
    }),
};

describe.each(Object.entries(makers))("%s", (kind, open) => {
  let store: ObjectStore;
  let bucket: string;
  beforeEach(async () => {
    store = open();
    bucket = `data-${crypto.randomUUID()}`;
    await store.createBucket(bucket);
  });
  const text = async (key: string, range?: { start: number; end?: number }) =>
    (await readAll(await store.get(bucket, key, range ? { range } : {}))).toString();

  test("what was put is read back, with its digests", async () => {
    const described = { contentType: "text/plain", metadata: { origin: "test" } };
    const { modified, ...info } = await store.put(bucket, "a/b.txt", "hello", described);
    expect(info).toEqual({
      key: "a/b.txt",
      size: 5,
      sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
      etag: "5d41402abc4b2a76b9719d911017c592",
      ...described,
    });
    expect(Math.abs(modified.getTime() - Date.now())).toBeLessThan(10_000);
    expect(await open().head(bucket, "a/b.txt")).toMatchObject(info);
    const got = await store.get(bucket, "a/b.txt");
    await got.stream.cancel();
    expect(got).toMatchObject(info);
    expect(await text("a/b.txt")).toBe("hello");
    const part = await store.get(bucket, "a/b.txt", { range: { start: 1, end: 3 } });
    expect(part).toMatchObject({ size: 5, range: { start: 1, end: 3 } });
    expect((await readAll(part)).toString()).toBe("ell");
    expect(await text("a/b.txt", { start: 3 })).toBe("lo");
    expect(await text("a/b.txt", { start: 3, end: 99 })).toBe("lo");
    for (const range of [{ start: 5 }, { start: 3, end: 1 }, { start: -1 }])
      await expect(text("a/b.txt", range)).rejects.toMatchObject({ code: "RANGE" });
  });

  test("a stream of unknown length arrives whole", async () => {
    const block = Buffer.alloc(1 << 20, "0123456789abcdef");
    async function* blocks() {
      for (let i = 0; i < 9; i++) yield block.subarray(i);
    }
    const whole = createHash("sha256");
    for await (const chunk of blocks()) whole.update(chunk);
    const sha256 = whole.digest("hex");
    const info = await store.put(bucket, "big", blocks(), { sha256: sha256.toUpperCase() });
    expect(info).toMatchObject({ size: 9 * 2 ** 20 - 36, sha256 });
    const read = createHash("sha256");
    for await (const chunk of (await store.get(bucket, "big")).stream) read.update(chunk);
    expect(read.digest("hex")).toBe(sha256);
  });

  test("an empty object, a replaced one, a deleted one", async () => {
    await store.put(bucket, "k", "");
    expect(await text("k")).toBe("");
    const before = await store.get(bucket, "k");
    await store.put(bucket, "k", "two");
    expect((await readAll(before)).toString()).toBe("");
    expect(await text("k")).toBe("two");
    expect([await store.delete(bucket, "k"), await store.delete(bucket, "k")]).toEqual([true, false]);
    await expect(text("k")).rejects.toMatchObject({ code: "OBJECT_NOT_FOUND" });
    expect(await store.head(bucket, "k")).toBeUndefined();
  });

  test("a put that fails in the middle, or brings other bytes than it said, changes nothing", async () => {
    await store.put(bucket, "k", "old");
    async function* broken() {
      yield Buffer.from("new");
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    }
    await expect(store.put(bucket, "k", broken())).rejects.toMatchObject({ code: "STORAGE_FULL", status: 507 });
    async function* whole() {
      yield Buffer.from("new");
    }
    for (const content of ["new", whole()])
      await expect(store.put(bucket, "k", content, { sha256: "0".repeat(64) })).rejects.toMatchObject({
        code: "DIGEST_MISMATCH",
      });
    const signal = AbortSignal.abort(new Error("gone"));
    await expect(store.put(bucket, "k", whole(), { signal })).rejects.toThrow("gone");
    expect(await text("k")).toBe("old");
    if (kind === "S3") expect(fs.readdirSync(path.join(root, "spool"))).toEqual([]);
  });

  test("puts of one key at once leave one whole object", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => store.put(bucket, "k", String(i).repeat(1000))));
    const content = await text("k");
    expect(new Set(content).size).toBeLessThanOrEqual(2);
    expect((await store.head(bucket, "k"))?.sha256).toBe(createHash("sha256").update(content).digest("hex"));
  });

  test("each odd key is its own object", async () => {
    const odd = [
      ...[
        "../../outside",
        "/etc/passwd",
        "a",
        "a/b",
        "a//b",
        "a/",
        "a/../b",
        "./a",
        "C:\\x",
        "a\0b",
        "😀",
        "%2F",
        "a+b c",
      ],
      ...["x".repeat(1024), "data.json", "?a=b&c#d", "'(!)*~", "é", "\uffff", "\n", "<&>"],
      // Addresses cannot end in these.
      ...(kind === "S3" ? [] : [".", ".."]),
    ];
    for (const key of odd) await store.put(bucket, key, key);
    for (const key of odd) expect(await text(key)).toBe(key);
    expect((await store.list(bucket)).objects.map((object) => object.key)).toEqual(odd.toSorted(byteOrder));
    for (const key of odd) expect((await store.copy({ bucket, key }, { bucket, key: "copy" })).size).toBeGreaterThan(0);
    for (const key of odd) expect(await store.delete(bucket, key)).toBe(true);
    for (const key of ["", "x".repeat(1025), "\ud800", ...(kind === "S3" ? [".", ".."] : [])])
      await expect(store.put(bucket, key, "x")).rejects.toMatchObject({ code: "INVALID_INPUT" });
    for (const name of ["../data", "a/b", "..", "", "UPPER", "a..b"])
      await expect(store.createBucket(name)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });

  test("listing pages give every key once, in byte order, folded like S3 does", async () => {
    const someKeys = fc.uniqueArray(
      fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom("a", "b", "/", "é", "😀", "\uffff") }),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(
        someKeys,
        fc.constantFrom("", "a", "a/"),
        fc.constantFrom(undefined, "/"),
        fc.integer({ min: 1, max: 4 }),
        async (some, prefix, delimiter, limit) => {
          const listed = `list-${crypto.randomUUID()}`;
          await store.createBucket(listed);
          for (const key of some) await store.put(listed, key, "");
          const seen: string[] = [];
          let cursor: string | undefined;
          do {
            const page = await store.list(listed, {
              prefix,
              limit,
              ...(delimiter ? { delimiter } : {}),
              ...(cursor === undefined ? {} : { cursor }),
            });
            const names = [...page.objects.map((object) => object.key), ...page.prefixes].sort(byteOrder);
            expect(names.length).toBeLessThanOrEqual(limit);
            seen.push(...names);
            cursor = page.nextCursor;
          } while (cursor !== undefined);
          const fold = (key: string) => {
            const cut = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
            return cut < 0 ? key : key.slice(0, cut + 1);
          };
          const wanted = new Set(some.filter((key) => key.startsWith(prefix)).map(fold));
          expect(seen).toEqual([...wanted].sort(byteOrder));
        },
      ),
      { numRuns: 40, seed: 7 },
    );
  });

  test("buckets and copies", async () => {
    await store.createBucket(bucket);
    const names = async () => (await store.buckets()).map(({ name }) => name);
    expect(await names()).toContain(bucket);
    const metadata = { origin: "test" };
    const { sha256 } = await store.put(bucket, "k", "v", { contentType: "text/plain", metadata });
    await expect(store.deleteBucket(bucket)).rejects.toMatchObject({ code: "CONFLICT" });
    await store.copy({ bucket, key: "k" }, { bucket, key: "k2" });
    expect(await store.head(bucket, "k2")).toMatchObject({ size: 1, sha256, contentType: "text/plain", metadata });
    await store.copy({ bucket, key: "k" }, { bucket, key: "k" }, { contentType: "text/csv", metadata: { a: "b" } });
    expect(await store.head(bucket, "k")).toMatchObject({ sha256, contentType: "text/csv", metadata: { a: "b" } });
    await expect(store.copy({ bucket, key: "none" }, { bucket, key: "x" })).rejects.toMatchObject({
      code: "OBJECT_NOT_FOUND",
    });
    for (const key of ["k", "k2"]) await store.delete(bucket, key);
    await store.deleteBucket(bucket);
    expect(await names()).not.toContain(bucket);
    const gone = { code: "NOT_FOUND" };
    await expect(store.put(bucket, "k", "v")).rejects.toMatchObject(gone);
    await expect(store.get(bucket, "k")).rejects.toMatchObject(gone);
    await expect(store.head(bucket, "k")).rejects.toMatchObject(gone);
    await expect(store.list(bucket)).rejects.toMatchObject(gone);
    await expect(store.delete(bucket, "k")).rejects.toMatchObject(gone);
    await expect(store.deleteBucket(bucket)).rejects.toMatchObject(gone);
  });
});
