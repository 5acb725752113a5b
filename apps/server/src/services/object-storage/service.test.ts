// The wire: raw calls with fetch, and the real boto3 where the machine's python3 has it.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../../testing/system.ts";

const run = promisify(execFile);
const keys = { MINIO_ACCESS_KEY: "wire-access", MINIO_SECRET_KEY: "wire-secret-123" };
const hasBoto3 = await run("python3", ["-c", "import boto3"]).then(
  () => true,
  () => false,
);

describe.each([
  ["open", {}],
  ["keyed", keys],
])("%s", (name, environment) => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startTestSystem({ services: ["object-storage"], environment });
  });
  afterAll(() => system?.stop());

  test.skipIf(!hasBoto3)(`boto3${hasBoto3 ? "" : " (skipped: python3 has no boto3 here)"}`, async () => {
    const script = fileURLToPath(new URL("./boto3-wire.py", import.meta.url));
    const access = name === "open" ? ["anyone", "open"] : [keys.MINIO_ACCESS_KEY, keys.MINIO_SECRET_KEY];
    const { stdout } = await run("python3", [script, system.url("object-storage"), ...access], { timeout: 50_000 });
    expect(stdout.trim()).toBe("ok");
  });

  test("health needs no signature; a page of another site gets nothing", async () => {
    const base = system.url("object-storage");
    for (const check of ["live", "ready"]) expect((await fetch(`${base}/minio/health/${check}`)).status).toBe(200);
    const foreign = await fetch(`${base}/ml-security`, { headers: { origin: "https://example.com" } });
    expect(foreign.status).toBe(403);
  });

  const keyedTest = name === "keyed" ? test : undefined;
  keyedTest?.("without a signature there is only AccessDenied, in XML", async () => {
    const response = await fetch(`${system.url("object-storage")}/ml-security`);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("<Code>AccessDenied</Code>");
  });

  const openTest = name === "open" ? test : undefined;
  openTest?.("paths never lead out: hidden buckets, dots, bad escapes", async () => {
    const base = system.url("object-storage");
    for (const path of ["/.multipart?list-type=2", "/%2emultipart/x", "/a..b/x", "/UPPER/x"])
      expect(await (await fetch(base + path)).text()).toContain("<Code>InvalidBucketName</Code>");
    expect(await (await fetch(`${base}/ml-security/%ff`)).text()).toContain("<Code>InvalidURI</Code>");
    await fetch(`${base}/odd-keys`, { method: "PUT" });
    const key = encodeURIComponent("../../../etc/passwd\n");
    expect((await fetch(`${base}/odd-keys/${key}`, { method: "PUT", body: "x" })).status).toBe(200);
    const list = await (await fetch(`${base}/odd-keys?list-type=2&encoding-type=url`)).text();
    expect(list).toContain("<Key>../../../etc/passwd%0A</Key>");
  });

  openTest?.("a stored page is never run as one of ours", async () => {
    const url = `${system.url("object-storage")}/odd-keys/page.html`;
    await fetch(url, { method: "PUT", body: "<script>1</script>", headers: { "content-type": "text/html" } });
    const response = await fetch(url);
    expect(response.headers.get("content-security-policy")).toContain("sandbox");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const split = await fetch(`${url}?response-content-type=${encodeURIComponent("a\r\nset-cookie: b")}`);
    expect([split.status, split.headers.get("set-cookie")]).toEqual([400, null]);
  });
});
